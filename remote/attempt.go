package remote

import (
	"context"
	"time"

	"github.com/azlin-dev/azlin/errkind"
)

// attempt is one attempt of a reconnection.
type attempt struct {
	*reconnection

	host       Host
	number, of int
	window     time.Duration
	final      bool // no further attempt makes sense
	diagnosed  bool
}

// quiet is how long a VM must be silent before reasons are looked for.
const quiet = 2 * time.Second

// run waits until the VM answers, at a.host.
func (a *attempt) run(ctx context.Context) error {
	for {
		problem, err := a.wait(ctx)
		if problem == nil {
			return err
		}
		if err := a.mend(ctx, problem); err != nil {
			a.final = true
			return err
		}
	}
}

// look is run without reconnecting: it looks for a problem, and waits for the VM only after fixing one.
func (a *attempt) look(ctx context.Context, lost error) error {
	bounded, cancel := context.WithTimeout(ctx, a.window)
	defer cancel()
	problem := a.problem(bounded)
	if problem == nil {
		a.final = true
		return lost
	}
	if err := a.mend(ctx, problem); err != nil {
		a.final = true
		return err
	}
	return a.run(ctx)
}

// problem returns why the VM cannot be reached, or nil.
func (a *attempt) problem(ctx context.Context) error {
	if a.Route != nil {
		h, err := a.Route(ctx)
		if err != nil && !passing(err) {
			return err
		}
		if err == nil {
			a.host = h
		}
	}
	if a.Diagnose == nil {
		return nil
	}
	return a.Diagnose(ctx, a.host)
}

func (r *reconnection) mend(ctx context.Context, problem error) error {
	if r.Mend == nil {
		return problem
	}
	return r.Mend(ctx, problem)
}

// wait tries SSH and looks up the route in parallel, until the VM answers (nil, nil), a problem is found, or the time is up.
func (a *attempt) wait(ctx context.Context) (problem, err error) {
	ctx, cancel := context.WithTimeout(ctx, a.window)
	defer cancel()
	routes, reasons := a.lookForWay(ctx, 0), a.lookForReason(ctx)
	looked, again := routes == nil, max(min(quiet, a.window/4), firstKnock)
	knocking := a.host.startKnocking(ctx)
	a.tell(nil)
	for {
		select {
		case err := <-knocking.heard:
			a.tell(err)
		case err := <-knocking.done:
			if err == nil || ctx.Err() != nil {
				return nil, err
			}
			if knocking.done = nil; looked {
				return err, nil // the route is closed, and there is no other
			}
			problem = err
		case found := <-routes:
			looked = true
			switch {
			case found.err != nil && !passing(found.err):
				return found.err, nil
			case found.err == nil && !sameWay(found.host, a.host):
				knocking.stop()
				a.host, problem = found.host, nil
				knocking = a.host.startKnocking(ctx)
				a.tell(nil)
			case problem != nil:
				return problem, nil
			}
			routes = a.lookForWay(ctx, again) // a VM that is shutting down reports that only afterwards
			again *= 2
		case reason := <-reasons:
			if reasons = nil; reason != nil && ctx.Err() == nil {
				return reason, nil
			}
		case <-ctx.Done():
			if knocking.done == nil {
				return nil, problem
			}
			return nil, <-knocking.done
		}
	}
}

func (a *attempt) tell(heard error) {
	a.report(ReconnectEvent{Phase: Waiting, Host: a.host, Attempt: a.number, Of: a.of, Lasts: a.window, Err: heard})
}

// passing reports whether the look-up of the route failed temporarily.
func passing(err error) bool {
	switch errkind.Of(err) {
	case errkind.Unreachable, errkind.Throttled, errkind.Unknown, errkind.Cancelled:
		return true
	}
	return false
}

// route is the result of a look-up of the route.
type route struct {
	host Host
	err  error
}

// lookForWay looks the route up after a delay.
func (a *attempt) lookForWay(ctx context.Context, after time.Duration) <-chan route {
	if a.Route == nil {
		return nil
	}
	routes := make(chan route, 1)
	go func() {
		if pause(ctx, after) == nil {
			h, err := a.Route(ctx)
			routes <- route{h, err}
		}
	}()
	return routes
}

// lookForReason looks for reasons once per attempt, when the VM has been silent for a while.
func (a *attempt) lookForReason(ctx context.Context) <-chan error {
	if a.Diagnose == nil || a.diagnosed {
		return nil
	}
	a.diagnosed = true
	reasons, h := make(chan error, 1), a.host
	go func() {
		if pause(ctx, min(quiet, a.window/4)) == nil {
			reasons <- a.Diagnose(ctx, h)
		}
	}()
	return reasons
}

// knocking is a host on which SSH is being tried.
type knocking struct {
	done  <-chan error // once: see knock
	heard <-chan error // the errors of the tries, if received
	stop  context.CancelFunc
}

func (h Host) startKnocking(ctx context.Context) knocking {
	ctx, stop := context.WithCancel(ctx)
	done, heard := make(chan error, 1), make(chan error, 1)
	go func() {
		done <- h.knock(ctx, func(err error) {
			select {
			case heard <- err:
			default:
			}
		})
	}()
	return knocking{done, heard, stop}
}
