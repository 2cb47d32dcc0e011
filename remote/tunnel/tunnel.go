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

	// Route returns the route to the VM: at the start, and again when the VM does not answer at its address.
	Route func(ctx context.Context) (remote.Host, error)
	// Report receives changes of State; after several changes, only the newest. nil: nobody.
	Report func(State)
}

// Phase is the phase of a tunnel.
type Phase string

// The phases of a tunnel.
const (
	Connected    Phase = "connected"
	Reconnecting Phase = "reconnecting" // the ports are open; new connections wait
	Failed       Phase = "failed"       // it ended with an error; its ports are closed
)

// State is the state of a tunnel.
type State struct {
	Phase       Phase      `json:"phase"`
	Since       time.Time  `json:"since"`         // of the phase, UTC
	Reconnects  int        `json:"reconnects"`    // how often the connection was restored
	LastError   string     `json:"last_error"`    // the newest, of the connection or of one through it; empty: none
	LastErrorAt *time.Time `json:"last_error_at"` // UTC; nil: none
}

// Tunnel is a set of open ports that lead to a VM.
type Tunnel struct {
	options  Options
	forwards []Forward
	ctx      context.Context //nolint:containedctx // the tunnel's own life
	end      context.CancelFunc
	running  sync.WaitGroup // all goroutines except the one that waits for the others
	done     chan struct{}
	news     chan struct{}

	listeners []net.Listener
	reporting sync.Mutex // serialises reports

	mu      sync.Mutex
	state   State
	host    remote.Host
	client  *remote.Client // nil: reconnecting
	changed chan struct{}  // closed at the next change of client
	err     error
}

// openFor is how long a local connection waits for its target.
const openFor = 30 * time.Second

// Open listens on the local ports, which fails with Conflict when one is in use, before anything else is started; then it
// connects to the VM. The first connection must succeed; later ones are restored until Close. Host.Limits define when a
// silent VM is given up. Close the tunnel.
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
				err = op.Err // the rest repeats what was tried
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

// Forwards returns the forwards, with the chosen ports.
func (t *Tunnel) Forwards() []Forward { return t.forwards }

// State returns the current state.
func (t *Tunnel) State() State {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state
}

// Done is closed when the tunnel has ended: by Close, or by a final error.
func (t *Tunnel) Done() <-chan struct{} { return t.done }

// Err is the error that ended the tunnel, or nil. Valid only after Done.
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

// note records an error.
func (t *Tunnel) note(err error) {
	t.mu.Lock()
	t.state.LastError, t.state.LastErrorAt = err.Error(), new(time.Now().UTC())
	t.mu.Unlock()
	t.wake()
}

func (t *Tunnel) wake() {
	select {
	case t.news <- struct{}{}:
	default: // a report is already pending
	}
}

// tell reports changes, one at a time.
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

// serve accepts connections to one port.
func (t *Tunnel) serve(l net.Listener, f Forward) {
	for {
		c, err := l.Accept()
		switch {
		case err == nil:
			t.running.Go(func() { t.carry(c, f) })
		case errors.Is(err, net.ErrClosed) || t.ctx.Err() != nil:
			return
		default: // typically, too many files are open
			t.note(fmt.Errorf("accept on port %d: %w", f.LocalPort, err))
			select {
			case <-t.ctx.Done():
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
}

// carry connects one connection to its target.
func (t *Tunnel) carry(local net.Conn, f Forward) {
	defer local.Close()
	ctx, cancel := context.WithTimeoutCause(t.ctx, openFor, fmt.Errorf("no connection within %s", openFor))
	defer cancel()
	for {
		client, err := t.current(ctx)
		if err != nil {
			return // the state has the reason
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

// current waits for an established connection.
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

// lost waits until the end of a broken connection was noticed.
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
