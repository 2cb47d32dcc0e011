package bastion

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/relay"
)

// Forward is a local port whose connections go through a Bastion, each in its own tunnel.
type Forward struct {
	session  *Session
	listener net.Listener
	ctx      context.Context //nolint:containedctx // the forward's own life, which its connections end with
	end      context.CancelFunc
	failed   func(error)

	mu      sync.Mutex
	used    time.Time
	active  int
	closed  bool
	running sync.WaitGroup
}

// openFor is how long a tunnel for a local client may take to open.
const openFor = 30 * time.Second

// Forward listens on 127.0.0.1 only, on a free port when port is 0. failed, which may be nil, receives the errors of tunnels
// that did not open. Close it.
func (s *Service) Forward(ctx context.Context, b Bastion, t Target, port int, failed func(error)) (*Forward, error) {
	x, err := s.Session(b, t)
	if err != nil {
		return nil, err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, &errkind.Error{Kind: errkind.Conflict, Op: "tunnel to", Resource: t.name(), Class: ErrTunnel, Err: fmt.Errorf("listen: %w", err)}
	}
	f := &Forward{session: x, listener: l, failed: failed, used: time.Now()}
	f.ctx, f.end = context.WithCancel(context.WithoutCancel(ctx))
	f.running.Go(f.accept)
	return f, nil
}

// Port is the local port.
func (f *Forward) Port() int { return f.listener.Addr().(*net.TCPAddr).Port }

// Active is the number of open connections.
func (f *Forward) Active() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.active
}

// LastUsed is when a connection was last opened or closed.
func (f *Forward) LastUsed() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.used
}

func (f *Forward) accept() {
	for {
		c, err := f.listener.Accept()
		if err != nil {
			return // it was closed
		}
		f.mu.Lock()
		if f.closed {
			f.mu.Unlock()
			_ = c.Close()
			return
		}
		f.active++
		f.used = time.Now()
		f.running.Go(func() { f.carry(c) })
		f.mu.Unlock()
	}
}

// carry connects a local connection to a new tunnel.
func (f *Forward) carry(local net.Conn) {
	defer func() {
		_ = local.Close()
		f.mu.Lock()
		f.active--
		f.used = time.Now()
		f.mu.Unlock()
	}()
	ctx, cancel := context.WithTimeout(f.ctx, openFor)
	remote, err := f.session.Dial(ctx)
	cancel()
	if err != nil {
		if f.failed != nil && f.ctx.Err() == nil {
			f.failed(err)
		}
		return
	}
	relay.Join(f.ctx, local, remote)
}

// Check opens a connection to the local port and waits for the SSH server's greeting; for other ports, it checks that the
// tunnel opens.
func (f *Forward) Check(ctx context.Context) error {
	fail := func(err error) error {
		return &errkind.Error{
			Kind: errkind.Unreachable, Op: "tunnel to", Resource: f.session.target.name(), Class: ErrTunnel,
			Err: fmt.Errorf("bastion %s: the tunnel does not answer: %w", f.session.bastion.Name, err),
		}
	}
	if f.session.target.port() != 22 {
		c, err := f.session.Dial(ctx)
		if err == nil {
			_ = c.Close()
		}
		return err
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", f.listener.Addr().String())
	if err != nil {
		return fail(err)
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	var greeting [4]byte
	if _, err := io.ReadFull(c, greeting[:]); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return fail(err)
	}
	if !strings.HasPrefix(string(greeting[:]), "SSH-") {
		return fail(errors.New("what answers is no SSH server"))
	}
	return nil
}

// Close closes the port and its connections, and ends the session at the Bastion.
func (f *Forward) Close() error {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	err := f.listener.Close()
	f.end()
	f.running.Wait()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	return errors.Join(err, f.session.Close())
}
