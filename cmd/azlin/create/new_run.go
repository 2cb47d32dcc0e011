package create

import (
	"context"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/connect"
	"github.com/azlin-dev/azlin/cmd/azlin/look"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/local/config"
	"github.com/azlin-dev/azlin/local/prereq"
	"github.com/azlin-dev/azlin/local/progress"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
)

// Launching is how a launch is carried out, as against what is launched.
type Launching struct {
	Yes, dryRun, NoConnect bool
	bicep                  bool     // with dryRun: show the resources as Bicep
	command                []string // run instead of connecting; empty: none
}

// connects says whether the launch ends in an interactive session.
func (a Commands) connects(l Launching) bool {
	return !l.NoConnect && len(l.command) == 0 && a.Streams.InTTY && a.Streams.OutTTY && !a.Output.Structured()
}

// staysAway says why the launch does not end in an interactive session; empty when it does.
func (a Commands) staysAway(l Launching) string {
	switch {
	case a.connects(l):
		return ""
	case l.NoConnect:
		return "not wanted"
	case len(l.command) > 0:
		return "a command is run instead"
	}
	return "there is no terminal"
}

// CanLaunch refuses, before anything is sent, a launch in a read-only context, and one that cannot ask for consent.
func (a Commands) CanLaunch(l Launching) error {
	if l.dryRun {
		return nil
	}
	if err := a.MayChange(); err != nil {
		return err
	}
	return a.MayAsk(l.Yes)
}

// CarryOut plans the launch, shows the plan, asks, and runs it. It ends in a session on the VM, in the command that
// was asked for, or with what there is to know about the VM.
func (a Commands) CarryOut(ctx context.Context, s *app.Session, request launch.Request, l Launching) error {
	if a.connects(l) && !l.dryRun {
		request.Needs = append(request.Needs, prereq.Connect)
	}
	show := a.NewProgress()
	defer show.Close()
	display := progress.New(len(launch.Stages()), show.Sink)
	plan, err := s.Launcher.Plan(ctx, request, display)
	if err != nil {
		return err
	}
	if l.dryRun {
		return a.printPlan(ctx, s, planView(s, plan), l, plan)
	}
	a.showPlan(s, plan)
	if err := a.ConfirmLocal(ctx, "Create "+plan.Config.Name+"?", l.Yes); err != nil {
		return err
	}
	quiet := a.tellInterrupt(ctx)
	result, err := s.Launcher.Run(ctx, plan, display)
	quiet()
	if err != nil {
		return err
	}
	launch.Connecting(display, result.VM.Name, a.staysAway(l))
	show.Close()
	for _, w := range result.Warnings {
		a.Say("warning: " + w)
	}
	if err := (config.File{Path: a.Paths.Config}).Set(ctx, "last_vm_name", result.VM.Name); err != nil {
		a.Say("warning: the VM's name is not remembered: " + err.Error())
	}
	switch {
	case a.connects(l):
		a.sayTools(result)
		return finishLaunch(result, connect.Commands{App: a.App}.Connect(ctx, s, result.Host, vm.Match{VM: result.VM}, connect.Interactive{Flags: connect.Flags{Attempts: -1}}))
	case len(l.command) > 0:
		a.sayTools(result)
		return finishLaunch(result, a.runOn(ctx, s, result, l.command))
	}
	v := look.ShowView(result.VM)
	v.Note = "connect with 'azlin connect " + result.VM.Name + "'"
	return finishLaunch(result, a.Output.Print(v))
}

// tellInterrupt says what becomes of an interrupt, from now until quiet is called.
func (a Commands) tellInterrupt(ctx context.Context) (quiet func() bool) {
	return context.AfterFunc(ctx, func() { a.Say("interrupted: stopping cleanly; Ctrl-C again stops at once") })
}

// runOn runs a command on the VM that was launched: on the terminal if there is one, else as exec does.
func (a Commands) runOn(ctx context.Context, s *app.Session, result *launch.Result, command []string) error {
	if a.Streams.InTTY && a.Streams.OutTTY && !a.Output.Structured() {
		return connect.Commands{App: a.App}.Connect(ctx, s, result.Host, vm.Match{VM: result.VM}, connect.Interactive{Flags: connect.Flags{Attempts: -1}, Command: command})
	}
	client, err := remote.Dial(ctx, result.Host)
	if err != nil {
		return app.Stranded(err, result.VM.Name)
	}
	defer client.Close()
	return connect.Commands{App: a.App}.Exec(ctx, client, result.VM.Name, remote.Command{Line: remote.CommandLine(command)})
}
