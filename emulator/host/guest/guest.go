// Package guest is the emulator's side of a running VM: it starts the agent that is the VM's pid 1 and asks it to
// run commands, read keys and open sockets inside. All that comes back is bounded, and none of it is trusted.
package guest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// ErrNotFound is returned for users and files that do not exist inside.
var ErrNotFound = errors.New("not found in the VM")

// ErrGone is returned once the VM has stopped.
var ErrGone = errors.New("the VM has stopped")

// answerTimeout is how long an agent may take to answer; starting a command counts, running it does not.
const answerTimeout = 30 * time.Second

// endTimeout is how long an agent without isolation may take to end its processes.
const endTimeout = 5 * time.Second

// Guest is a booted VM. Its methods may be called from several goroutines at once.
type Guest struct {
	conn *wire.Conn
	proc *os.Process
	uid  int
	gid  int

	isolated bool
	hostKeys []wire.HostKey // set before Boot returns

	killing sync.Once
	gone    chan struct{}
}

// Options say what to boot.
type Options struct {
	Boot     wire.Boot
	UID, GID int               // the host's ids that root inside is mapped to
	Console  func([]byte)      // pieces of the serial console's output
	Power    func(reboot bool) // root asked for a reboot, or a shutdown
}

// Boot starts a VM and returns when its sshd could start.
func (l *Launcher) Boot(ctx context.Context, o Options) (*Guest, error) {
	conn, far, err := wire.Pair()
	if err != nil {
		return nil, err
	}
	defer far.Close()
	proc, err := l.start(o, far)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("start agent: %w", err)
	}
	g := &Guest{conn: conn, proc: proc, uid: o.UID, gid: o.GID, isolated: o.Boot.Isolated, gone: make(chan struct{})}
	go g.wait()
	if err := conn.Send(o.Boot); err != nil {
		g.Kill()
		return nil, fmt.Errorf("boot: %w", err)
	}
	ready := make(chan readiness, 1)
	go g.listen(o, ready)
	select {
	case r := <-ready:
		if r.err != nil {
			g.Kill()
			return nil, fmt.Errorf("boot: %w", r.err)
		}
		g.hostKeys = r.hostKeys
		return g, nil
	case <-ctx.Done():
		g.Kill()
		return nil, fmt.Errorf("boot: %w", ctx.Err())
	}
}

// readiness is how a boot ended.
type readiness struct {
	hostKeys []wire.HostKey
	err      error
}

// HostKeys are the keys that the VM's sshd shows, as they stood in /etc/ssh at boot. They come from inside the
// VM: parse them with care.
func (g *Guest) HostKeys() []wire.HostKey { return g.hostKeys }

// listen takes the agent's notices for as long as it lives.
func (g *Guest) listen(o Options, ready chan<- readiness) {
	report := func(r readiness) {
		select {
		case ready <- r:
		default:
		}
	}
	for {
		var n wire.Notice
		files, err := g.conn.Receive(&n)
		closeAll(files)
		if err != nil {
			report(readiness{err: fmt.Errorf("the agent ended: %w", err)})
			g.Kill()
			return
		}
		switch {
		case n.Err != "":
			report(readiness{err: errors.New(n.Err)})
		case n.Ready:
			report(readiness{hostKeys: n.HostKeys})
		case n.Reboot || n.Halt:
			go o.Power(n.Reboot)
		case len(n.Console) > 0:
			o.Console(n.Console)
		}
	}
}

func (g *Guest) wait() {
	_, _ = g.proc.Wait() // how a VM's pid 1 ended says nothing: it is killed as a rule
	close(g.gone)
}

// Done is closed when all processes of the VM have ended.
func (g *Guest) Done() <-chan struct{} { return g.gone }

// Kill ends all processes of the VM and waits until the last is gone.
func (g *Guest) Kill() {
	g.killing.Do(func() {
		g.conn.Close()
		if !g.isolated { // then the agent itself ends what it started
			select {
			case <-g.gone:
			case <-time.After(endTimeout):
			}
		}
		_ = g.proc.Kill() // it may have ended by itself
	})
	<-g.gone
}

// call opens a call as user and sends its request.
func (g *Guest) call(user string, req wire.Request, files ...*os.File) (*wire.Conn, error) {
	call, far, err := wire.Pair()
	if err != nil {
		return nil, err
	}
	defer far.Close()
	if err := g.conn.Send(wire.Route{User: user}, far); err != nil {
		call.Close()
		return nil, fmt.Errorf("%w: %w", ErrGone, err)
	}
	if err := call.Send(req, files...); err != nil {
		call.Close()
		return nil, fmt.Errorf("%w: %w", ErrGone, err)
	}
	return call, nil
}

// answer waits for an event, but neither forever nor longer than ctx lives.
func answer(ctx context.Context, call *wire.Conn) (wire.Event, []*os.File, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { call.Close() })
	defer stop()
	var event wire.Event
	files, err := call.Receive(&event)
	if err != nil {
		if ctx.Err() != nil {
			return event, nil, fmt.Errorf("ask the VM's agent: %w", ctx.Err())
		}
		return event, nil, fmt.Errorf("ask the VM's agent: %w: %w", ErrGone, err)
	}
	if event.Err != "" {
		closeAll(files)
		if event.NotFound {
			return event, nil, fmt.Errorf("%w: %s", ErrNotFound, event.Err)
		}
		return event, nil, errors.New(event.Err)
	}
	return event, files, nil
}

// AuthorizedKeys returns the user's authorized_keys file, or ErrNotFound if there is no such user.
func (g *Guest) AuthorizedKeys(ctx context.Context, user string) ([]byte, error) {
	call, err := g.call(user, wire.Request{Op: wire.OpKeys})
	if err != nil {
		return nil, err
	}
	defer call.Close()
	event, files, err := answer(ctx, call)
	closeAll(files)
	return event.Keys, err
}

// PutUser creates a user who may use sudo, or adds keys to the one who is there.
func (g *Guest) PutUser(ctx context.Context, user string, keys []string) error {
	call, err := g.call("", wire.Request{Op: wire.OpUser, User: user, Keys: keys})
	if err != nil {
		return err
	}
	defer call.Close()
	_, files, err := answer(ctx, call)
	closeAll(files)
	return err
}

// Note adds lines to the VM's auth.log, in which "(uid=?)" stands for the user's id. Nobody waits for it.
func (g *Guest) Note(user string, lines ...string) error {
	call, err := g.call("", wire.Request{Op: wire.OpNote, User: user, Notes: lines})
	if err != nil {
		return err
	}
	return call.Close()
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}
