package remote_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/test/local/machine"
)

// startAgent serves an SSH agent that holds one fresh key.
func startAgent(t *testing.T) (socket string, key ssh.PublicKey) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := agent.NewKeyring()
	if err := keys.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return serveAgent(t, keys), signer.PublicKey()
}

// serveAgent serves any agent.
func serveAgent(t *testing.T, keys agent.Agent) (socket string) {
	t.Helper()
	// Not t.TempDir: a socket's path may have 108 bytes.
	dir, err := os.MkdirTemp("", "agent") //nolint:usetesting // its name is too long
	if err != nil {
		t.Fatal(err)
	}
	socket = filepath.Join(dir, "s")
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed
			}
			go func() { _ = agent.ServeAgent(keys, conn) }() // ends with the connection
		}
	}()
	return socket
}

// touchKey is an agent that waits, before it signs, for a finger that never comes.
type touchKey struct {
	agent.Agent

	over <-chan struct{}
}

func (k touchKey) Sign(ssh.PublicKey, []byte) (*ssh.Signature, error) {
	<-k.over
	return nil, errors.New("nobody touched the key")
}

// TestSilentAgents sees that an SSH agent which takes requests and answers none does not hold anybody up.
func TestSilentAgents(t *testing.T) {
	t.Parallel()
	m := machine.Boot(t)
	m.Limits = remote.Limits{Connect: 500 * time.Millisecond, Handshake: 2 * time.Second}
	dir, err := os.MkdirTemp("", "agent") //nolint:usetesting // its name is too long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // it is temporary
	m.AgentSocket = filepath.Join(dir, "s")
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", m.AgentSocket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	c, err := remote.Dial(t.Context(), m.Host)
	if err != nil {
		t.Fatalf("with a key of its own: %v", err)
	}
	_ = c.Close() // it is in
	own := m.KeyPath
	m.KeyPath = ""
	if _, err := remote.Dial(t.Context(), m.Host); errkind.Of(err) != errkind.Permission {
		t.Errorf("without: %v", err)
	}

	data, err := os.ReadFile(own)
	if err != nil {
		t.Fatal(err)
	}
	private, err := ssh.ParseRawPrivateKey(data)
	if err != nil {
		t.Fatal(err)
	}
	keys := agent.NewKeyring()
	if err := keys.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		t.Fatal(err)
	}
	m.AgentSocket = serveAgent(t, touchKey{keys, t.Context().Done()})
	began := time.Now()
	if _, err := remote.Dial(t.Context(), m.Host); err == nil || time.Since(began) > soon {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
}
