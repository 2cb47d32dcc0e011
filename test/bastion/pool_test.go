//go:build linux

package bastion_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/bastion"
)

// login signs in over a connection, which must lead to the machine with this host key.
func login(conn net.Conn, user, host ssh.Signer) (*ssh.Client, error) {
	c, chans, reqs, err := ssh.NewClientConn(conn, "box", &ssh.ClientConfig{
		User: "azureuser", Auth: []ssh.AuthMethod{ssh.PublicKeys(user)}, HostKeyCallback: ssh.FixedHostKey(host.PublicKey()),
		HostKeyAlgorithms: []string{ssh.KeyAlgoED25519},
	})
	if err != nil {
		_ = conn.Close() // the error says why
		return nil, err
	}
	return ssh.NewClient(c, chans, reqs), nil
}

// TestPoolOverTLS has fifty users of one pool at once, against the emulator as it is run, and one who copies.
func TestPoolOverTLS(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.put("/subscriptions/"+w.SubscriptionID+"/resourcegroups/rg", "2021-04-01", object{"location": "westus2"})
	vnet := w.vnet("net", "10.1")
	host, hostPEM := newKey(t)
	user, _ := newKey(t)
	vm := w.vm("box", vnet, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(user.PublicKey()))), host, hostPEM)
	w.bastion("hub", vnet, "Standard", true)
	service, err := bastion.New(w.azure, bastion.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	b, err := service.Reaching(t.Context(), vnet)
	if err != nil || b == nil {
		t.Fatalf("no Bastion: %v", err)
	}
	pool := service.NewPool(bastion.PoolOptions{})
	defer func() { _ = pool.Close() }() // looked at below, unless the test ends before

	var mu sync.Mutex
	var took []time.Duration
	var g errgroup.Group
	for range 50 {
		g.Go(func() error {
			began := time.Now()
			tunnel, err := pool.Get(t.Context(), vm, *b)
			if err != nil {
				return err
			}
			defer pool.Release(tunnel.ID)
			conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", tunnel.LocalPort))
			if err != nil {
				return err
			}
			client, err := login(conn, user, host)
			if err != nil {
				return err
			}
			defer func() { _ = client.Close() }() // it has done its work
			mu.Lock()
			took = append(took, time.Since(began))
			mu.Unlock()
			s, err := client.NewSession()
			if err != nil {
				return err
			}
			out, err := s.Output("hostname")
			if err == nil && string(out) != "box\n" {
				err = fmt.Errorf("it is %q", out)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	if n := len(pool.Tunnels()); n != 1 {
		t.Errorf("%d tunnels to one VM", n)
	}
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
	if len(took) > 0 {
		slices.Sort(took)
		t.Logf("50 logins at once: median %s, slowest %s", took[len(took)/2].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond))
	}

	// A copy of 64 MiB and back, without a local port.
	conn, err := service.Dial(t.Context(), *b, bastion.Target{VM: vm})
	if err != nil {
		t.Fatal(err)
	}
	client, err := login(conn, user, host)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }() // it has done its work
	data := make([]byte, 64<<20)
	_, _ = rand.Read(data) // does not fail
	began := time.Now()
	s, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	s.Stdin = bytes.NewReader(data)
	back := sha256.New()
	s.Stdout = io.Writer(back)
	if err := s.Run("cat"); err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(data); !bytes.Equal(back.Sum(nil), sum[:]) {
		t.Error("what came back is not what went")
	}
	t.Logf("64 MiB up and down at once: %.1f s", time.Since(began).Seconds())
}
