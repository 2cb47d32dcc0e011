package launch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/audit"
	"github.com/azlin-dev/azlin/local/progress"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm/cloudinit"
	"github.com/azlin-dev/azlin/vm/provision"
)

// Run carries out a plan. When it fails or is interrupted, planning the same VM again resumes it. It sends the notification
// when it ends.
func (l *Launcher) Run(ctx context.Context, plan *Plan, display *progress.Display) (*Result, error) {
	result, err := l.run(ctx, plan, display)
	if err != nil {
		_ = l.keepFailure(plan, err) // the error itself matters more
		if l.Notifier != nil && errkind.Of(err) != errkind.Cancelled {
			l.Notifier.NotifyError(ctx, "VM "+plan.Config.Name+": "+err.Error()) // best effort
		}
		return nil, err
	}
	begin(display, stageNotify)
	switch {
	case l.Notifier == nil || !l.Notifier.IsAvailable():
		_ = display.SkipStage("no way to notify is set up here") // it was started above
	case l.Notifier.NotifyCompletion(ctx, result.VM.Name, result.VM.PublicIP):
		_ = display.CompleteStage() // as above
	default:
		_ = display.SkipStage("the notification did not go out") // as above
	}
	return result, nil
}

func (l *Launcher) run(ctx context.Context, plan *Plan, display *progress.Display) (*Result, error) {
	begin(display, stageVM)
	if err := writeKey(plan); err != nil {
		return nil, failed(display, err)
	}
	if err := l.remember(plan, stageVM, nil); err != nil {
		return nil, failed(display, err)
	}
	var err error
	if plan.op.Provisional() {
		if plan.Config.CustomData, err = plan.customData(); err != nil {
			return nil, failed(display, err)
		}
	}
	result := &Result{Repository: plan.Repository}
	if result.Details, err = l.provision(ctx, plan, display); err != nil {
		return nil, failed(display, resumable(plan.Config, err))
	}
	config := plan.Config
	_ = display.CompleteStage() // it was started above

	plan.op.Stage = stageSSH
	begin(display, stageSSH)
	client, err := l.awaitSSH(ctx, plan, result, display)
	if err != nil {
		return nil, failed(display, resumable(config, err))
	}
	defer func() { _ = client.Close() }() // the variable may hold another client by then
	plan.op.HostKey.Private = ""          // the VM has proven that it has it
	if err := l.remember(plan, stageClone, nil); err != nil {
		return nil, failed(display, err)
	}
	result.Warnings = append(result.Details.Notes, checkAccess(ctx, client, config)...)
	_ = display.CompleteStage() // it was started above

	begin(display, stageClone)
	if plan.Repository == nil {
		_ = display.SkipStage("no repository was asked for") // it was started above
	} else if err := l.clone(ctx, plan, result, client); err != nil {
		return nil, failed(display, resumable(config, err))
	} else {
		_ = display.CompleteStage() // it was started above
	}
	plan.op.Stage = stageTools
	begin(display, stageTools)
	if client, err = l.awaitTools(ctx, plan, result, client, display); err != nil {
		return nil, resumable(config, err)
	}
	if err := l.Provisioner.Finish(ctx, result.Details.ID, result.Details.OperationID); err != nil {
		return nil, resumable(config, err)
	}
	if result.VM, err = l.VMs.Get(ctx, config.Ref()); err != nil {
		return nil, err
	}
	return result, l.Operations.Remove(plan.op)
}

// clone puts the repository on the VM.
func (l *Launcher) clone(ctx context.Context, plan *Plan, result *Result, client *remote.Client) error {
	return l.Reach.Guard.Change(ctx, result.VM, audit.Update, "clone repository", func(ctx context.Context) error {
		return plan.Repository.Clone(ctx, client, l.Access)
	})
}

// customData is the VM's cloud-init document. It contains the private host key.
func (p *Plan) customData() ([]byte, error) {
	boot := p.Setup.config(p.Config.AdminUsername)
	boot.HostKeyPrivate, boot.HostKeyPublic = p.op.HostKey.Private, p.op.HostKey.Public
	return cloudinit.Render(boot)
}

const defaultSSHTimeout = 5 * time.Minute

// awaitSSH waits until the VM accepts a login and shows the expected host key.
func (l *Launcher) awaitSSH(ctx context.Context, plan *Plan, result *Result, display *progress.Display) (*remote.Client, error) {
	var err error
	if result.VM, err = l.VMs.Get(ctx, plan.Config.Ref()); err != nil {
		return nil, err
	}
	if result.Host, err = l.Reach.Host(ctx, result.VM, reach.Options{User: plan.Config.AdminUsername, KeyPath: plan.Config.SSHKeyPath}); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(plan.request.SSHTimeout, defaultSSHTimeout))
	defer cancel()
	return remote.WaitForSSH(ctx, result.Host, 0, func(attempt int, last error) {
		_ = display.Update(fmt.Sprintf("attempt %d: %s", attempt, waitingFor(last))) // the stage is open
	})
}

func waitingFor(err error) string {
	if errors.Is(err, remote.ErrKeyRefused) {
		return "the login user is not there yet"
	}
	return "the VM does not answer yet"
}

// checkAccess compares the client address that SSH reports with the admitted one. They differ behind some proxies and NATs;
// the connection then works only while both stay the same.
func checkAccess(ctx context.Context, client *remote.Client, config provision.Config) []string {
	if config.Private {
		return nil
	}
	out, err := client.Script(ctx, `printf %s "${SSH_CLIENT%% *}"`)
	if err != nil || !out.Success {
		return nil // a shell without SSH_CLIENT reports nothing
	}
	seen, err := netip.ParseAddr(out.Stdout)
	if err != nil {
		return nil
	}
	for _, p := range config.SSHSources {
		if p.Contains(seen.Unmap()) {
			return nil
		}
	}
	return []string{fmt.Sprintf("the VM sees you come from %s, but SSH is admitted from %s", seen, config.SSHSources[0])}
}

// resumable adds how to resume as the next step, unless the error has one.
func resumable(config provision.Config, err error) error {
	if !errkind.Next(err).IsZero() {
		return err
	}
	return &errkind.Error{
		Op: "launch", Resource: config.Name, Err: err,
		Next: errkind.Step{Action: errkind.CreateVM, VM: config.Name, Group: config.ResourceGroup},
	}
}
