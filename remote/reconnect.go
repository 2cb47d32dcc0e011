package remote

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/remote/knownhosts"
)

// DefaultMaxAttempts is a ReconnectHandler's default number of attempts.
const DefaultMaxAttempts = 3

// UntilStopped as MaxAttempts retries until the context ends.
const UntilStopped = -1

// ReconnectHandler restores a session whose connection was lost. The zero value tries three times, on the same route.
// An attempt tries SSH for a while: the first for Limits.Connect, each further one twice as long as the previous one, up to
// a minute. An answering VM is noticed at once, whatever it is waited for.
type ReconnectHandler struct {
	MaxAttempts int // in a row without a session in between; 0: DefaultMaxAttempts; UntilStopped: no limit

	// Route looks up the route to the VM in each attempt: its address or power state may have changed. It runs in parallel
	// with trying SSH, at growing intervals while nothing answers. An error of kind Unreachable, Throttled or Unknown is
	// waited out; any other is a problem (see Mend). nil: the route does not change.
	Route func(ctx context.Context) (Host, error)
	// Diagnose looks for a permanent reason after a while without an answer. nil, or returning nil: none.
	Diagnose func(ctx context.Context, h Host) error
	// Mend fixes a problem found by Route or Diagnose, for example after asking the user. If it returns nil, the
	// reconnection continues; otherwise it ends with that error. nil: every problem ends it.
	Mend func(ctx context.Context, problem error) error

	// Report receives the progress, one event at a time. nil: nobody.
	Report func(ReconnectEvent)
}

// ReconnectPhase is the phase in a ReconnectEvent.
type ReconnectPhase string

// The phases of a reconnection.
const (
	Lost    ReconnectPhase = "lost"    // the connection is lost, or was never established; Err has the reason
	Waiting ReconnectPhase = "waiting" // an attempt has begun, or Err happened in it
	Back    ReconnectPhase = "back"    // the VM answers: ssh is started again
	Over    ReconnectPhase = "over"    // it is given up; the returned error has the reason
)

// ReconnectEvent is one step of a reconnection.
type ReconnectEvent struct {
	Phase   ReconnectPhase
	Host    Host
	Attempt int           // from 1
	Of      int           // 0: no limit
	Lasts   time.Duration // the longest time of this attempt
	Err     error
}

// Connector keeps an interactive session across lost connections. The zero value reconnects up to three times.
type Connector struct {
	ReconnectHandler

	// NoReconnect makes only one connection. Diagnose and Mend still explain a failure.
	NoReconnect bool
}

// Connect runs the session until it ends on the VM and returns its exit code. It reconnects a lost connection, with its
// forwards, unless the VM refuses the keys, another machine answers, or a forward cannot be established; a command
// (Interactive.Command) never runs twice. If the code is DisconnectExitCode because there is no connection, the error has
// the reason: of kind Permission for ErrKeyRefused, HostKey, Conflict for ErrForward, else Unreachable, or Mend's error.
func (c Connector) Connect(ctx context.Context, in Interactive) (exitCode int, err error) {
	r := reconnection{ReconnectHandler: c.ReconnectHandler, never: c.NoReconnect}
	if err := in.Host.checkKeyMode(); err != nil {
		return DisconnectExitCode, err
	}
	in.id, in.Host = uuid.NewString(), in.Host.fitting(ctx)
	return r.connect(ctx, in)
}

// HandleDisconnect resumes a session after ssh has ended with exitCode, and returns the same code and error as
// Connector.Connect. Any code but DisconnectExitCode is returned unchanged.
func (h ReconnectHandler) HandleDisconnect(ctx context.Context, exitCode int, in Interactive) (int, error) {
	if !ShouldAttemptReconnect(exitCode) {
		return exitCode, nil
	}
	r := reconnection{ReconnectHandler: h, stood: true}
	in.id = uuid.NewString()
	var err error
	if in.Host, err = r.recover(ctx, in, in.Host.failure(errkind.Unreachable, ErrLost)); err != nil {
		return DisconnectExitCode, err
	}
	in.again = true
	return r.connect(ctx, in)
}

// ConnectSSH joins a tmux session on a VM (empty: DefaultSession) on this process's terminal, reconnects when the connection
// is lost, and returns the session's exit code.
func ConnectSSH(ctx context.Context, h Host, known knownhosts.File, session string) (exitCode int, err error) {
	return Connector{}.Connect(ctx, Interactive{
		Host: h, KnownHosts: known, Session: session, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	})
}

// reconnection is the state of one session.
type reconnection struct {
	ReconnectHandler

	never bool // reconnect
	stood bool // there was a session
	tries int  // attempts since then
}

func (r *reconnection) connect(ctx context.Context, in Interactive) (int, error) {
	for {
		e, err := in.run(ctx)
		if err != nil || !IsDisconnectExitCode(e.code) {
			return e.code, err
		}
		cause := e.cause(in.tmux())
		if cause == CauseRemote {
			return e.code, nil
		}
		stands := e.stood(in.Host.Limits)
		if stands {
			r.stood, r.tries = true, 0
		}
		lost := in.lossError(e)
		if stands && (r.never || len(in.Command) > 0) { // the command may still be running there
			return e.code, lost
		}
		if err := r.final(ctx, &in, cause, lost); err != nil {
			return e.code, err
		}
		if in.Host, err = r.recover(ctx, in, lost); err != nil {
			return e.code, err
		}
		in.again = r.stood
	}
}

// final returns the final error, or nil when another attempt makes sense.
func (r *reconnection) final(ctx context.Context, in *Interactive, cause Cause, lost error) error {
	switch cause {
	case CauseKey:
		return lost
	case CauseForward:
		if !r.stood || !in.hasRemoteForwards() {
			return lost
		} // otherwise the VM has not noticed yet that the previous connection is gone
	case CauseHostKey:
		// The address may belong to another machine by now: the look-up in Azure tells.
		if r.Route == nil || r.never {
			return in.shownKey(ctx, lost)
		}
		bounded, cancel := context.WithTimeout(ctx, in.Host.Limits.connect())
		defer cancel()
		h, err := r.Route(bounded)
		if err != nil || sameWay(h, in.Host) {
			return in.shownKey(ctx, lost)
		}
		in.Host = h
	}
	return nil
}

// shownKey adds the shown key to a host key error.
func (in Interactive) shownKey(ctx context.Context, refused error) error {
	ctx, cancel := context.WithTimeout(ctx, in.Host.Limits.connect())
	defer cancel()
	key, err := ScanHostKey(ctx, in.Host)
	if err != nil || keypair.Same(key, in.Host.HostKey) {
		return refused
	}
	return in.Host.otherKey(key)
}

// longestAttempt is the maximum of the growing duration of attempts.
const longestAttempt = time.Minute

// window is the duration of the current attempt.
func (r *reconnection) window(l Limits) time.Duration {
	w := l.connect()
	for range r.tries - 1 {
		w = min(2*w, max(longestAttempt, l.connect()))
	}
	return w
}

// recover waits until the VM answers, and returns its route.
func (r *reconnection) recover(ctx context.Context, in Interactive, lost error) (Host, error) {
	of := r.MaxAttempts
	switch {
	case r.never:
		of = 1
	case of == 0:
		of = DefaultMaxAttempts
	}
	h, last, answered := in.Host, lost, true
	if !r.never {
		r.report(ReconnectEvent{Phase: Lost, Host: h, Err: lost})
	}
	for {
		r.tries++
		if of > 0 && r.tries > of {
			return h, r.over(h, r.gaveUp(h, of, last))
		}
		if answered && r.tries > 1 { // it answers, but there was no session
			if err := pause(ctx, time.Second<<min(r.tries-2, 5)); err != nil {
				return h, r.over(h, err)
			}
		}
		a := attempt{reconnection: r, host: h, number: r.tries, of: max(0, of), window: r.window(h.Limits)}
		var err error
		if r.never {
			err = a.look(ctx, lost)
		} else {
			err = a.run(ctx)
		}
		switch h = a.host; {
		case err == nil:
			if r.stood {
				in.endStale(ctx, h)
			}
			r.report(ReconnectEvent{Phase: Back, Host: h, Attempt: r.tries, Of: max(0, of)})
			return h, nil
		case ctx.Err() != nil:
			return h, r.over(h, context.Cause(ctx))
		case a.final:
			return h, r.over(h, err)
		}
		last, answered = err, false
	}
}

func (r *reconnection) over(h Host, err error) error {
	r.report(ReconnectEvent{Phase: Over, Host: h, Err: err})
	return err
}

func (r *reconnection) report(e ReconnectEvent) {
	if r.Report != nil {
		r.Report(e)
	}
}

func (r *reconnection) gaveUp(h Host, attempts int, last error) error {
	if r.never {
		return last
	}
	if e, ok := errors.AsType[*errkind.Error](last); ok && e.Resource == h.name() && e.Err != nil {
		last = e.Err
	}
	return h.failure(errkind.Unreachable, fmt.Errorf("gave up after %s: %w", attemptsText(attempts), last))
}

func attemptsText(n int) string {
	if n == 1 {
		return "one attempt"
	}
	return fmt.Sprintf("%d attempts", n)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// sameWay reports whether ssh would do the same for both.
func sameWay(a, b Host) bool {
	return a.Address == b.Address && a.Port == b.Port && a.User == b.User && a.VMID == b.VMID && slices.Equal(a.ProxyCommand, b.ProxyCommand) &&
		(a.HostKey == nil) == (b.HostKey == nil) && (a.HostKey == nil || keypair.Same(a.HostKey, b.HostKey))
}
