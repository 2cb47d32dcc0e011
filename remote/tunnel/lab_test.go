package tunnel_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/emulator/host"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/remote/tunnel"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/vm/cloudinit"
)

// vms hands out addresses that no other test of this process uses.
var vms atomic.Uint32

// machine is an emulated VM behind a network that can be cut.
type machine struct {
	t       *testing.T
	runtime *host.Runtime
	spec    host.Machine
	host    remote.Host

	mu    sync.Mutex
	conns []net.Conn
	down  error // the network is
	asked int   // how often the way was
	route error
}

func boot(t *testing.T) *machine {
	t.Helper()
	dir := t.TempDir()
	runtime := local.Hosts(t, host.Options{Port: 2800 + os.Getpid()%500})
	pair, err := keypair.GenerateKeyPair(filepath.Join(dir, "ssh"), "")
	if err != nil {
		t.Fatal(err)
	}
	public, err := keypair.PublicKeyContent(pair.Public)
	if err != nil {
		t.Fatal(err)
	}
	identity, err := keypair.GenerateKeyPair(filepath.Join(dir, "identity"), "")
	if err != nil {
		t.Fatal(err)
	}
	private, err := os.ReadFile(identity.Private)
	if err != nil {
		t.Fatal(err)
	}
	line, err := keypair.PublicKeyContent(identity.Public)
	if err != nil {
		t.Fatal(err)
	}
	document, err := cloudinit.Render(cloudinit.Config{HostKeyPrivate: string(private), HostKeyPublic: line, Tools: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	n := vms.Add(1)
	m := &machine{t: t, runtime: runtime}
	m.spec = host.Machine{
		ID: fmt.Sprintf("/vm/%d", n), VMID: fmt.Sprintf("id-%d", n), Hostname: "dev", AdminUser: "azureuser",
		AdminKeys: []string{public}, CustomData: document, Admitted: true,
		Addresses: []netip.Addr{netip.AddrFrom4([4]byte{127, 79, byte(os.Getpid()), byte(n)})},
	}
	key := publicKey(t, line)
	m.host = remote.Host{
		Name: "dev", VMID: m.spec.VMID, Address: m.spec.Addresses[0].String(), Port: runtime.Port(), KeyPath: pair.Private, HostKey: key,
		Via: m,
	}
	if err := runtime.Start(t.Context(), m.spec); err != nil {
		t.Fatal(err)
	}
	return m
}

func publicKey(t *testing.T, line string) ssh.PublicKey {
	t.Helper()
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Dial is the network.
func (m *machine) Dial(ctx context.Context) (net.Conn, error) {
	m.mu.Lock()
	down := m.down
	m.mu.Unlock()
	if down != nil {
		return nil, down
	}
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(m.spec.Addresses[0].String(), fmt.Sprint(m.runtime.Port())))
	if err == nil {
		m.mu.Lock()
		m.conns = append(m.conns, c)
		m.mu.Unlock()
	}
	return c, err
}

// cut ends all connections; with an error there will be no others either.
func (m *machine) cut(down error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down = down
	for _, c := range m.conns {
		_ = c.Close()
	}
	m.conns = nil
}

func (m *machine) find(context.Context) (remote.Host, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	return m.host, m.route
}

// open opens a tunnel to the VM.
func (m *machine) open(report func(tunnel.State), forwards ...tunnel.Forward) *tunnel.Tunnel {
	m.t.Helper()
	t, err := tunnel.Open(m.t.Context(), tunnel.Options{Forwards: forwards, Route: m.find, Report: report})
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() {
		if err := t.Close(); err != nil {
			m.t.Error(err)
		}
	})
	return t
}

// echo is a server on the VM, whose network is this machine's: it says what it has heard when all is said.
func echo(t *testing.T) (port int) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				heard, _ := io.ReadAll(c)
				_, _ = fmt.Fprintf(c, "heard %s", heard)
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

// say says something to a port of this machine and returns the answer.
func say(ctx context.Context, port int, text string) (string, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return "", err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	if _, err := io.WriteString(c, text); err != nil {
		return "", err
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(c)
	return string(answer), err
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited a minute until ", what)
		}
	}
}
