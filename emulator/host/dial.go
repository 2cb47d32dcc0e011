package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/azlin-dev/azlin/emulator/fault"
)

// ErrNotRunning is returned for a connection to a VM that is stopped or still boots.
var ErrNotRunning = errors.New("the VM does not answer")

// inside is a connection from within the VM's network. It never was on a socket, so nobody but its maker has the
// other end.
type inside struct {
	net.Conn

	from, to net.Addr
}

func (c inside) RemoteAddr() net.Addr { return c.from }
func (c inside) LocalAddr() net.Addr  { return c.to }

// Dial connects to a VM's SSH server from within its network, whether the VM has public addresses or not. from is
// the client's address and to the VM's own, as the VM sees them. Whether network rules admit it is the caller's business.
func (r *Runtime) Dial(ctx context.Context, id string, from, to netip.AddrPort) (net.Conn, error) {
	m, err := r.find(id)
	if err != nil {
		return nil, fmt.Errorf("dial host: %w", err)
	}
	if state := m.status().State; state == stateBooting || state == stateStopped {
		return nil, fmt.Errorf("dial host %s: %w: it is %s", id, ErrNotRunning, state)
	}
	rule := m.struck()
	if rule != nil && rule.Effect == fault.SSHRefuse {
		return nil, fmt.Errorf("dial host %s: %w", id, errRefused)
	}
	if _, err := m.booted(ctx); err != nil {
		return nil, fmt.Errorf("dial host %s: %w", id, err)
	}
	near, far := net.Pipe()
	go m.handle(inside{far, net.TCPAddrFromAddrPort(from), net.TCPAddrFromAddrPort(to)}, rule)
	return near, nil
}
