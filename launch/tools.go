package launch

import (
	"context"
	"fmt"
	"time"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/health/logs"
	"github.com/azlin-dev/azlin/local/progress"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm/cloudinit"
)

// toolsTimeout is how long a launch waits for tools; a slow connection needs long.
const toolsTimeout = 45 * time.Minute

// Setup is what a VM does at its first boot.
type Setup struct {
	Tools         []string // names of cloudinit.Tools; nil: all; empty: none
	StartupScript string   // runs last, once, as root; empty: none
	CloudInit     []byte   // the operator's own file: #cloud-config or a script; empty: none
}

// config returns the cloud-init configuration for a login user.
func (s Setup) config(user string) cloudinit.Config {
	return cloudinit.Config{User: user, Tools: s.Tools, StartupScript: s.StartupScript, Extra: s.CloudInit}
}

// installs reports whether there is anything to wait for.
func (s Setup) installs() bool { return s.Tools == nil || len(s.Tools) > 0 || s.StartupScript != "" }

// awaitTools waits until the tools are installed, if requested, and reports progress. A failed tool is reported in the
// result and does not fail the launch: the VM works.
func (l *Launcher) awaitTools(ctx context.Context, plan *Plan, result *Result, client *remote.Client, display *progress.Display) (*remote.Client, error) {
	switch {
	case !plan.Setup.installs() && plan.request.WaitTools && plan.Setup.CloudInit != nil:
		return l.awaitCloudInit(ctx, plan, result, client, display)
	case !plan.Setup.installs():
		_ = display.SkipStage("none were asked for") // the stage is open, here and below
		return client, nil
	case !plan.request.WaitTools:
		_ = display.SkipStage("they are installed meanwhile; tmux's status line shows how it goes")
		return client, nil
	}
	bounded, cancel := context.WithTimeout(ctx, toolsTimeout)
	defer cancel()
	connect := func(ctx context.Context) (*remote.Client, error) {
		_ = display.Update("the connection was lost; waiting for SSH")
		return l.awaitSSH(ctx, plan, result, display)
	}
	installation, client, err := logs.Await(bounded, client, 0, connect, func(i logs.Installation) { _ = display.Update(going(i)) })
	switch {
	case ctx.Err() != nil:
		return client, failed(display, context.Cause(ctx))
	case err != nil && bounded.Err() == nil:
		return client, failed(display, err)
	}
	result.Tools = &installation // after a timeout, the state so far
	if err := installation.Err(plan.Config.Name); err != nil {
		_ = failed(display, err)
		return client, nil
	}
	return l.awaitCloudInit(ctx, plan, result, client, display)
}

// awaitCloudInit waits until cloud-init has ended, including the operator's own file. Its problems go into the result and do
// not fail the launch.
func (l *Launcher) awaitCloudInit(ctx context.Context, plan *Plan, result *Result, client *remote.Client, display *progress.Display) (*remote.Client, error) {
	bounded, cancel := context.WithTimeout(ctx, toolsTimeout)
	defer cancel()
	status, err := logs.AwaitCloudInit(bounded, client)
	for err != nil && bounded.Err() == nil { // it may restart the VM
		_ = display.Update("the connection was lost; waiting for SSH")
		again, failure := l.awaitSSH(bounded, plan, result, display)
		if failure != nil {
			return client, failure
		}
		_ = client.Close() // the connection is already lost
		client = again
		status, err = logs.AwaitCloudInit(bounded, client)
	}
	if err != nil {
		return client, failed(display, err)
	}
	result.CloudInit = &status
	if err := status.Err(plan.Config.Name); err != nil {
		_ = failed(display, err)
		return client, nil
	}
	_ = display.CompleteStage()
	return client, nil
}

// going describes the progress of an installation.
func going(i logs.Installation) string {
	done, failures, current := 0, "", ""
	for _, t := range i.Tools {
		switch t.State {
		case logs.Running:
			current = t.Name
		case logs.Failed:
			done++
			failures += ", " + t.Name + " failed"
		case logs.Done:
			done++
		case logs.Waiting, logs.Unknown, logs.Interrupted:
		}
	}
	if len(i.Tools) == 0 {
		return "cloud-init has not come to it yet"
	}
	return fmt.Sprintf("%d of %d: %s%s", done, len(i.Tools), current, failures)
}

// ToolsErr is nil unless the launch waited for tools and some are missing, or cloud-init had problems; then it is Partial
// and names them.
func (r *Result) ToolsErr() error {
	if r.Tools != nil {
		if err := r.Tools.Err(r.VM.Name); err != nil {
			return err
		}
	}
	if r.CloudInit != nil {
		return r.CloudInit.Err(r.VM.Name)
	}
	return nil
}

// Check validates the setup before anything is sent. user is the login user; empty: the default one.
func (s Setup) Check(user string) error {
	if err := s.config(user).Validate(); err != nil {
		return &errkind.Error{Op: "prepare the VM's first boot", Err: err}
	}
	return nil
}
