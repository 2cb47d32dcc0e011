package tunnel_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/tunnel"
	"github.com/azlin-dev/azlin/test/local/machine"
)

// vm is an emulated VM behind a network that can be cut.
type vm struct {
	*machine.Machine
	t *testing.T

	mu    sync.Mutex
	conns []net.Conn
	down  error // the network is
	asked int   // how often the way was
	route error
}

func boot(t *testing.T) *vm {
	t.Helper()
	m := &vm{Machine: machine.Boot(t), t: t}
	m.Via = m
	return m
}

// Dial is the network.
func (m *vm) Dial(ctx context.Context) (net.Conn, error) {
	m.mu.Lock()
	down := m.down
	m.mu.Unlock()
	if down != nil {
		return nil, down
	}
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(m.Spec.Addresses[0].String(), fmt.Sprint(m.Port)))
	if err == nil {
		m.mu.Lock()
		m.conns = append(m.conns, c)
		m.mu.Unlock()
	}
	return c, err
}

// cut ends all connections; with an error there will be no others either.
func (m *vm) cut(down error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down = down
	for _, c := range m.conns {
		_ = c.Close()
	}
	m.conns = nil
}

func (m *vm) find(context.Context) (remote.Host, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	return m.Host, m.route
}

// open opens a tunnel to the VM.
func (m *vm) open(report func(tunnel.State), forwards ...tunnel.Forward) *tunnel.Tunnel {
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
