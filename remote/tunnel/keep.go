package tunnel

import (
	"context"
	"errors"
	"time"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/keypair"
)

// The delays between attempts: none at first; longer after a stopped VM or a refused sign-in than after a network failure,
// which may end at any time.
const (
	firstPause = 200 * time.Millisecond
	lastPause  = 5 * time.Second
	slowPause  = 15 * time.Second
	oneAttempt = 5 * time.Second // for one connection attempt, which is retried
	oneRoute   = 30 * time.Second
	askAgain   = 30 * time.Second // interval for looking up the VM's address again
)

// keep reconnects whenever the connection is lost, until the tunnel ends.
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

// change sets the phase.
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

// fail ends the tunnel after an error.
func (t *Tunnel) fail(err error) {
	t.mu.Lock()
	t.err = err
	t.mu.Unlock()
	t.change(nil, Failed, err)
	t.report()         // here, because the reporting goroutine ends with the tunnel
	_ = t.closePorts() // an error does not matter
	t.end()
}

// again reconnects at the known address, and otherwise looks up the route, until it succeeds. An error is final.
func (t *Tunnel) again() (*remote.Client, error) {
	t.mu.Lock()
	host := t.host
	t.mu.Unlock()
	pause := firstPause
	var asked time.Time // when the look-up last confirmed the address
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
			err = routeErr // the look-up's error is closer to the cause than a timeout
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

// final reports whether waiting cannot fix a failure to connect.
func final(err error) bool {
	return errkind.Of(err) == errkind.HostKey || errors.Is(err, remote.ErrKeyRefused) || errors.Is(err, keypair.ErrKey)
}

func dial(ctx context.Context, h remote.Host) (*remote.Client, error) {
	// An attempt that began during a network failure must not be waited for.
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
