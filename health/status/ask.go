package status

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
)

// patience is how long to wait for a silent VM when all others have answered: three TCP attempts to connect. After that, as
// long as the slowest of the others took, plus a margin.
const patience = 2 * time.Second

// asking queries many VMs in parallel.
type asking struct {
	start time.Time

	mu  sync.Mutex
	vms []*one
}

// one is the query of one VM.
type one struct {
	alive, done bool
	cancel      context.CancelCauseFunc
}

// askAll queries the running VMs, each within limit. It ends when all that respond have answered or timed out; silent ones
// delay it by patience only.
func askAll(ctx context.Context, limit time.Duration, vms []VM, ask func(ctx context.Context, v *VM, shows func(alive bool)) error) {
	late := fmt.Errorf("it did not answer within %s", limit)
	deadline := time.Now().Add(limit)
	ctx, cancel := context.WithDeadlineCause(ctx, deadline, late)
	defer cancel()
	a := &asking{start: time.Now()}
	var all sync.WaitGroup
	for n := range vms {
		if vms[n].PowerState != vm.Running {
			continue
		}
		o := &one{alive: true} // while its route is looked up in Azure
		ctx, cancel := context.WithCancelCause(ctx)
		o.cancel = cancel
		a.mu.Lock()
		a.vms = append(a.vms, o)
		a.mu.Unlock()
		all.Go(func() {
			defer cancel(nil)
			err := ask(ctx, &vms[n], func(alive bool) { a.shows(o, alive) })
			cause := context.Cause(ctx)
			if cause == nil && !time.Now().Before(deadline) {
				cause = late // a dialer has its own timer, which may fire first
			}
			if err != nil && cause != nil && errkind.Of(err) != errkind.HostKey {
				err = &errkind.Error{Kind: errkind.Unreachable, Op: "ask", Resource: vms[n].Name, Err: cause}
			}
			vms[n].Err = err
			a.ended(o)
		})
	}
	all.Wait()
}

func (a *asking) shows(o *one, alive bool) {
	a.mu.Lock()
	o.alive = alive
	a.mu.Unlock()
	a.settle()
}

func (a *asking) ended(o *one) {
	a.mu.Lock()
	o.done = true
	a.mu.Unlock()
	a.settle()
}

// settle gives up the silent VMs once nothing else is awaited.
func (a *asking) settle() {
	if silent, since := a.silent(); len(silent) > 0 {
		after := max(patience, since*23/20)
		time.AfterFunc(after-since, func() {
			still, _ := a.silent() // one may have responded, and then the others get its time
			for _, o := range still {
				o.cancel(fmt.Errorf("nothing answers there, within %s", after.Round(100*time.Millisecond)))
			}
		})
	}
}

// silent returns the VMs that do not respond, if there are others and all of them have ended.
func (a *asking) silent() ([]*one, time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var silent []*one
	ended := false
	for _, o := range a.vms {
		switch {
		case o.done:
			ended = true
		case o.alive:
			return nil, 0
		default:
			silent = append(silent, o)
		}
	}
	if !ended {
		return nil, 0
	}
	return silent, time.Since(a.start)
}

// ask queries one VM over one connection. shows is called when it responds.
func (d Dashboard) ask(ctx context.Context, v *VM, signIn reach.Options, shows func(alive bool)) error {
	host, err := d.Reach.Host(ctx, v.Info, signIn)
	if err != nil {
		return err
	}
	shows(false)
	host.Via = watched{host, shows}
	client, err := remote.Dial(ctx, host)
	if err != nil {
		return err
	}
	defer client.Close()
	result, err := client.Script(ctx, question)
	if err != nil {
		return err
	}
	if !result.Success {
		return &errkind.Error{Kind: errkind.Unreachable, Op: "ask", Resource: v.Name, Err: errors.New(cmp.Or(strings.TrimSpace(result.Stderr), "it has no shell that can tell"))}
	}
	parse(result.Stdout, v)
	return nil
}

// watched wraps a route and notices when the host answers.
type watched struct {
	host  remote.Host
	shows func(alive bool)
}

// Dial connects.
func (w watched) Dial(ctx context.Context) (net.Conn, error) {
	conn, err := remote.Open(ctx, w.host)
	if err == nil {
		w.shows(true)
	}
	return conn, err
}
