package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/history"
	"github.com/azlin-dev/azlin/local/progress"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
)

// Connect runs the interactive session until it ends, over as many connections as it takes, records its start and end,
// and turns ssh's exit code into ours.
func (a Commands) Connect(ctx context.Context, s *app.Session, host remote.Host, match vm.Match, i Interactive) error {
	name := i.session(match)
	in := remote.Interactive{
		Host: host, KnownHosts: a.KnownHosts(), NoTmux: i.Flags.noTmux, Command: i.Command, Session: name,
		Forwards: i.forwards, ForwardAgent: i.Flags.agent,
		Stdin: a.Streams.In, Stdout: a.Streams.Out, Stderr: a.Streams.Err, Env: a.Environ,
	}
	if _, err := in.Args(); err != nil { // what cannot be tried is not recorded
		return err
	}
	if name != "" && !a.Streams.InTTY { // tmux would say so, and no more
		return &errkind.Error{
			Kind: errkind.Invalid, Op: "connect to", Resource: match.VM.Name,
			Err:  errors.New("there is no terminal to show a tmux session on: give --no-tmux for a plain shell, or a command"),
			Next: app.Next("azlin exec", match.VM.Name, "-- COMMAND"),
		}
	}
	m := a.mender(s, match, i.Flags)
	defer m.quiet()
	c := remote.Connector{
		NoReconnect: i.Flags.noReconnect || !a.Streams.InTTY,
		ReconnectHandler: remote.ReconnectHandler{
			MaxAttempts: maxAttempts(s, i.Flags),
			Route: s.Hosts.Again(match.VM, reach.Options{
				User: i.Flags.User, KeyPath: host.KeyPath, Bastion: i.Flags.Bastion,
			}),
			Diagnose: m.diagnose, Mend: m.mend, Report: m.report,
		},
	}
	s.SawSession(match.VM.Name, name)
	ended := a.recordConnection(ctx, history.Connection{
		VM: match.VM.Name, ResourceGroup: match.VM.ResourceGroup, SubscriptionID: s.Azure.SubscriptionID(),
		Context: s.Context.Name, Address: host.Address, Session: name,
	})
	code, err := c.Connect(ctx, in)
	m.quiet()
	if err != nil {
		ended(remote.DisconnectExitCode)
		return app.Disconnected(err, match.VM.Name, name)
	}
	ended(code)
	if code != 0 {
		return app.RemoteExit(code)
	}
	return nil
}

// maxAttempts is how often a lost connection is tried again.
func maxAttempts(s *app.Session, flags Flags) int {
	n := flags.Attempts
	if n < 0 {
		n = s.Config.ReconnectAttempts()
	}
	if n == 0 {
		return remote.UntilStopped
	}
	return n
}

// recordConnection records that a connection begins, and by the function it returns that it has ended. A
// record that cannot be kept is no reason not to connect.
func (a Commands) recordConnection(ctx context.Context, c history.Connection) (ended func(exitCode int)) {
	log := history.Log{Path: a.Paths.History}
	id, err := log.Start(ctx, c)
	if err != nil {
		a.Say("warning: " + err.Error())
		return func(int) {}
	}
	return func(exitCode int) {
		// It is recorded, too, when the connection ended because somebody interrupted azlin.
		if err := log.End(context.WithoutCancel(ctx), id, exitCode, time.Time{}); err != nil {
			a.Say("warning: " + err.Error())
		}
	}
}

// waiting shows what a lost connection is waiting for.
type waiting struct {
	app     Commands
	lost    bool           // there was a session, and what was typed since is not meant for azlin
	drawing *term.Progress // nil: nothing is shown
	display *progress.Display
}

// report follows a reconnection.
func (w *waiting) report(e remote.ReconnectEvent) {
	switch e.Phase {
	case remote.Lost:
		w.lost = true
		w.quiet()
		w.app.Say("azlin: " + e.Err.Error())
	case remote.Waiting:
		w.begin()
		of := ", Ctrl-C ends it"
		if e.Of > 0 {
			of = fmt.Sprintf(" of %d", e.Of)
		}
		_ = w.display.Update(fmt.Sprintf("%s (attempt %d%s, up to %s)", waitingFor(e), e.Attempt, of, e.Lasts.Round(time.Second))) // the stage is open
	case remote.Back:
		if w.display != nil {
			_ = w.display.CompleteStage() // as above
		}
		w.quiet()
	case remote.Over:
		w.quiet()
		w.discardTyped() // the shell would run it here
	}
}

// discardTyped forgets what was typed for a VM that did not hear it any more.
func (w *waiting) discardTyped() {
	if w.lost {
		w.app.Streams.DiscardTyped()
	}
}

// waitingFor is what a reconnection waits for at the moment, in a few words.
func waitingFor(e remote.ReconnectEvent) string {
	where := e.Host.Address
	if e.Host.Via != nil {
		where = "the Bastion"
	}
	timeout, _ := errors.AsType[net.Error](e.Err)
	switch {
	case e.Err == nil:
		return "knocking at " + where
	case errors.Is(e.Err, syscall.ECONNREFUSED):
		return "nobody listens at " + where + " yet"
	case errors.Is(e.Err, syscall.ECONNRESET), errors.Is(e.Err, io.EOF):
		return where + " hangs up"
	case errors.Is(e.Err, syscall.ENETUNREACH), errors.Is(e.Err, syscall.EHOSTUNREACH):
		return "there is no network to " + where
	case timeout != nil && timeout.Timeout():
		return "no answer from " + where
	}
	for cause := range errkind.All(e.Err) {
		if cause.Err != nil && cause.Op != "" {
			return cause.Err.Error()
		}
	}
	return e.Err.Error()
}

func (w *waiting) begin() {
	if w.display != nil {
		return
	}
	w.drawing = w.app.NewProgress()
	w.display = progress.New(0, w.drawing.Sink)
	w.display.StartStage(progress.Stage{Name: "reconnect"})
}

// quiet takes what is shown away.
func (w *waiting) quiet() {
	if w.display != nil {
		w.drawing.Close()
		w.drawing, w.display = nil, nil
	}
}
