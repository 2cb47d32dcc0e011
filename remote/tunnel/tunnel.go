package tunnel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/relay"
	"github.com/azlin-dev/azlin/remote"
)

// Options of a tunnel.
type Options struct {
	Forwards []Forward // at least one

	// Route finds the way to the VM: at the beginning, and again when the VM does not answer where it was.
	Route func(ctx context.Context) (remote.Host, error)
	// Report hears of every change of State, the newest one when there were several. nil: nobody does.
	Report func(State)
}

// Phase is how a tunnel is.
type Phase string

// The phases of a tunnel.
const (
	Connected    Phase = "connected"
	Reconnecting Phase = "reconnecting" // the ports are open; who connects waits for a while
	Failed       Phase = "failed"       // it will not come back, and its ports are closed
)

// State is how a tunnel is.
type State struct {
	Phase       Phase      `json:"phase"`
	Since       time.Time  `json:"since"`         // of the phase, UTC
	Reconnects  int        `json:"reconnects"`    // how often the connection came back
	LastError   string     `json:"last_error"`    // the newest, of the connection or of one through it; empty: none so far
	LastErrorAt *time.Time `json:"last_error_at"` // UTC; nil: none so far
}

// Tunnel is open ports that lead to a VM.
type Tunnel struct {
	options  Options
	forwards []Forward
	ctx      context.Context //nolint:containedctx // the tunnel's own life
	end      context.CancelFunc
	running  sync.WaitGroup // all but what waits for the others
	done     chan struct{}
	news     chan struct{}

	listeners []net.Listener
	reporting sync.Mutex // one report at a time

	mu      sync.Mutex
	state   State
	host    remote.Host
	client  *remote.Client // nil: reconnecting
	changed chan struct{}  // closed at the next change of client
	err     error
}

// openFor is how long a local connection waits for its other end.
const openFor = 30 * time.Second

// Open listens at the local ports, which fails with Conflict when one is in use, before anything else is begun; then it
// connects to the VM. The first connection has to succeed; those after it are made again until Close. Host.Limits say when
// a VM that is silent is given up. Close the tunnel.
func Open(ctx context.Context, o Options) (*Tunnel, error) {
	if len(o.Forwards) == 0 {
		return nil, &errkind.Error{Kind: errkind.Invalid, Op: "open a tunnel", Class: ErrTunnel, Err: errors.New("no forward is named")}
	}
	t := &Tunnel{options: o, done: make(chan struct{}), news: make(chan struct{}, 1), changed: make(chan struct{})}
	if err := t.listen(ctx); err != nil {
		return nil, errors.Join(err, t.closePorts())
	}
	host, err := o.Route(ctx)
	var client *remote.Client
	if err == nil {
		client, err = remote.Dial(ctx, host)
	}
	if err != nil {
		return nil, errors.Join(err, t.closePorts())
	}
	t.ctx, t.end = context.WithCancel(context.WithoutCancel(ctx))
	t.host = host
	t.set(client, State{Phase: Connected, Since: time.Now().UTC()})
	t.running.Go(func() { t.keep(client) }) //nolint:contextcheck // they end with the tunnel, not with its opening
	t.running.Go(t.tell)
	for n, l := range t.listeners {
		t.running.Go(func() { t.serve(l, t.forwards[n]) }) //nolint:contextcheck // as above
	}
	go func() {
		t.running.Wait()
		close(t.done)
	}()
	return t, nil
}

func (t *Tunnel) listen(ctx context.Context) error {
	for _, f := range t.options.Forwards {
		var lc net.ListenConfig
		address := net.JoinHostPort(Local, strconv.Itoa(f.LocalPort))
		l, err := lc.Listen(ctx, "tcp4", address)
		if err != nil {
			if op, ok := errors.AsType[*net.OpError](err); ok {
				err = op.Err // the rest says again what was tried
			}
			return &errkind.Error{Kind: errkind.Conflict, Op: "listen on", Resource: address, Class: ErrTunnel, Err: err}
		}
		f.LocalPort = l.Addr().(*net.TCPAddr).Port
		t.listeners, t.forwards = append(t.listeners, l), append(t.forwards, f)
	}
	return nil
}

func (t *Tunnel) closePorts() error {
	var errs []error
	for _, l := range t.listeners {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Forwards are the ports, with those that the system has chosen.
func (t *Tunnel) Forwards() []Forward { return t.forwards }

// State is how the tunnel is now.
func (t *Tunnel) State() State {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state
}

// Done is closed when the tunnel has ended: by Close, or because it will not come back.
func (t *Tunnel) Done() <-chan struct{} { return t.done }

// Err is why a tunnel ended by itself, or nil. Only after Done.
func (t *Tunnel) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// Close closes the ports and all connections.
func (t *Tunnel) Close() error {
	t.end()
	err := t.closePorts()
	<-t.done
	return err
}

// set changes the connection and the state.
func (t *Tunnel) set(client *remote.Client, s State) {
	t.mu.Lock()
	t.client, t.state = client, s
	close(t.changed)
	t.changed = make(chan struct{})
	t.mu.Unlock()
	t.wake()
}

// note remembers an error.
func (t *Tunnel) note(err error) {
	t.mu.Lock()
	t.state.LastError, t.state.LastErrorAt = err.Error(), new(time.Now().UTC())
	t.mu.Unlock()
	t.wake()
}

func (t *Tunnel) wake() {
	select {
	case t.news <- struct{}{}:
	default: // there is news already
	}
}

// tell reports, one state at a time.
func (t *Tunnel) tell() {
	for {
		select {
		case <-t.news:
			t.report()
		case <-t.ctx.Done():
			return
		}
	}
}

func (t *Tunnel) report() {
	t.reporting.Lock()
	defer t.reporting.Unlock()
	if t.options.Report != nil {
		t.options.Report(t.State())
	}
}

// serve takes connections to one port.
func (t *Tunnel) serve(l net.Listener, f Forward) {
	for {
		c, err := l.Accept()
		switch {
		case err == nil:
			t.running.Go(func() { t.carry(c, f) })
		case errors.Is(err, net.ErrClosed) || t.ctx.Err() != nil:
			return
		default: // too many files are open, as a rule
			t.note(fmt.Errorf("accept on port %d: %w", f.LocalPort, err))
			select {
			case <-t.ctx.Done():
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
}

// carry joins one connection with its other end.
func (t *Tunnel) carry(local net.Conn, f Forward) {
	defer local.Close()
	ctx, cancel := context.WithTimeoutCause(t.ctx, openFor, fmt.Errorf("no connection within %s", openFor))
	defer cancel()
	for {
		client, err := t.current(ctx)
		if err != nil {
			return // the state says why
		}
		far, err := client.DialFrom(ctx, f.target())
		switch {
		case err == nil:
			relay.Join(t.ctx, local, far)
			return
		case t.ctx.Err() != nil:
			return
		case errors.Is(err, remote.ErrLost):
			t.lost(ctx, client)
		default:
			t.note(err)
			return
		}
	}
}

// current waits for a connection that stands.
func (t *Tunnel) current(ctx context.Context) (*remote.Client, error) {
	for {
		t.mu.Lock()
		client, changed := t.client, t.changed
		t.mu.Unlock()
		if client != nil {
			return client, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// lost waits until a connection that is gone is known to be.
func (t *Tunnel) lost(ctx context.Context, gone *remote.Client) {
	for {
		t.mu.Lock()
		client, changed := t.client, t.changed
		t.mu.Unlock()
		if client != gone {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}
