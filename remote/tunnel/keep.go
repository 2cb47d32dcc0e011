package tunnel

import (
	"context"
	"errors"
	"time"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/keypair"
)

// How long is waited between attempts: at first not at all; a VM that Azure says is stopped, or a sign-in that is refused,
// is not asked for as often as a network that may be back.
const (
	firstPause = 200 * time.Millisecond
	lastPause  = 5 * time.Second
	slowPause  = 15 * time.Second
	oneAttempt = 5 * time.Second // for a connection; it is tried again
	oneRoute   = 30 * time.Second
	askAgain   = 30 * time.Second // whether the VM is still where it was
)

// keep makes the connection again whenever it is lost, until the tunnel ends.
func (t *Tunnel) keep(client *remote.Client) {
	for {
		err := client.Stay(t.ctx)
		_ = client.Close() // nothing more will come
		if t.ctx.Err() != nil {
			return
		}
		t.change(nil, Reconnecting, err)
		if client, err = t.again(); err != nil {
			if t.ctx.Err() == nil {
				t.fail(err)
			}
			return
		}
		t.change(client, Connected, nil)
	}
}

// change goes over to a phase.
func (t *Tunnel) change(client *remote.Client, p Phase, err error) {
	s := t.State()
	s.Phase, s.Since = p, time.Now().UTC()
	if err != nil {
		s.LastError, s.LastErrorAt = err.Error(), new(s.Since)
	}
	if p == Connected {
		s.Reconnects++
	}
	t.set(client, s)
}

// fail ends the tunnel by itself.
func (t *Tunnel) fail(err error) {
	t.mu.Lock()
	t.err = err
	t.mu.Unlock()
	t.change(nil, Failed, err)
	t.report()         // for certain: who tells ends with the tunnel
	_ = t.closePorts() // as good as closed
	t.end()
}

// again connects to where the VM was, and else asks for the way anew, until it is there. An error is the end.
func (t *Tunnel) again() (*remote.Client, error) {
	t.mu.Lock()
	host := t.host
	t.mu.Unlock()
	pause := firstPause
	var asked time.Time // when Azure last said that the VM is where it was
	for {
		client, err := dial(t.ctx, host)
		if err == nil {
			t.mu.Lock()
			t.host = host
			t.mu.Unlock()
			return client, nil
		}
		wait := pause
		found, routeErr := host, error(nil)
		if final(err) || time.Since(asked) > askAgain {
			found, routeErr = t.route()
		}
		switch {
		case t.ctx.Err() != nil:
			return nil, context.Cause(t.ctx)
		case routeErr == nil:
			switch moved := found.Address != host.Address || found.VMID != host.VMID; {
			case moved:
				wait = 0
			case final(err):
				return nil, err
			case !asked.After(time.Now().Add(-askAgain)):
				asked = time.Now()
			}
			host = found
		case errkind.Of(routeErr) == errkind.NotFound || errkind.Of(routeErr) == errkind.HostKey:
			return nil, routeErr
		default:
			err = routeErr // what Azure says is nearer to the cause than that nobody answers
			if kind := errkind.Of(routeErr); kind != errkind.Unreachable && kind != errkind.Unknown {
				wait = slowPause
			}
		}
		t.note(err)
		select {
		case <-t.ctx.Done():
			return nil, context.Cause(t.ctx)
		case <-time.After(wait):
		}
		pause = min(2*pause, lastPause)
	}
}

// final reports whether a failure to connect does not go away by waiting.
func final(err error) bool {
	return errkind.Of(err) == errkind.HostKey || errors.Is(err, remote.ErrKeyRefused) || errors.Is(err, keypair.ErrKey)
}

func dial(ctx context.Context, h remote.Host) (*remote.Client, error) {
	// A connection that was begun while the network was away is not worth to be waited for.
	if h.Limits.Connect == 0 || h.Limits.Connect > oneAttempt {
		h.Limits.Connect = oneAttempt
	}
	return remote.Dial(ctx, h)
}

func (t *Tunnel) route() (remote.Host, error) {
	ctx, cancel := context.WithTimeout(t.ctx, oneRoute)
	defer cancel()
	return t.options.Route(ctx)
}
