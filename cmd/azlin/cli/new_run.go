package cli

import (
	"context"

	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/local/config"
	"github.com/azlin-dev/azlin/local/prereq"
	"github.com/azlin-dev/azlin/local/progress"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
)

// launching is how a launch is carried out, as against what is launched.
type launching struct {
	yes, dryRun, noConnect bool
	bicep                  bool     // with dryRun: show the resources as Bicep
	command                []string // run instead of connecting; empty: none
}

// connects says whether the launch ends in an interactive session.
func (a createCommands) connects(l launching) bool {
	return !l.noConnect && len(l.command) == 0 && a.streams.InTTY && a.streams.OutTTY && !a.output.Structured()
}

// staysAway says why the launch does not end in an interactive session; empty when it does.
func (a createCommands) staysAway(l launching) string {
	switch {
	case a.connects(l):
		return ""
	case l.noConnect:
		return "not wanted"
	case len(l.command) > 0:
		return "a command is run instead"
	}
	return "there is no terminal"
}

// canLaunch refuses, before anything is sent, a launch that would have to ask where nobody is to answer.
func (a createCommands) canLaunch(l launching) error {
	if !l.yes && !l.dryRun && !a.streams.InTTY {
		return errkind.New(errkind.Invalid, "creating a VM needs a confirmation, but there is no terminal to ask on: give --yes")
	}
	return nil
}

// carryOut plans the launch, shows the plan, asks, and runs it. It ends in a session on the VM, in the command that
// was asked for, or with what there is to know about the VM.
func (a createCommands) carryOut(ctx context.Context, s *session, request launch.Request, l launching) error {
	if a.connects(l) && !l.dryRun {
		request.Needs = append(request.Needs, prereq.Connect)
	}
	show := term.NewProgress(a.streams, a.progress)
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
	if !l.yes {
		if err := a.streams.Confirm(ctx, "Create it?", "--yes"); err != nil {
			return err
		}
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
		a.say("warning: " + w)
	}
	if err := (config.File{Path: a.paths.Config}).Set(ctx, "last_vm_name", result.VM.Name); err != nil {
		a.say("warning: the VM's name is not remembered: " + err.Error())
	}
	switch {
	case a.connects(l):
		a.sayTools(result)
		return finishLaunch(result, connectCommands{a.app}.connect(ctx, s, result.Host, vm.Match{VM: result.VM}, interactive{flags: connectFlags{attempts: -1}}))
	case len(l.command) > 0:
		a.sayTools(result)
		return finishLaunch(result, a.runOn(ctx, s, result, l.command))
	}
	v := showView(result.VM)
	v.Note = "connect with 'azlin connect " + result.VM.Name + "'"
	return finishLaunch(result, a.output.Print(v))
}

// tellInterrupt says what becomes of an interrupt, from now until quiet is called.
func (a createCommands) tellInterrupt(ctx context.Context) (quiet func() bool) {
	return context.AfterFunc(ctx, func() { a.say("interrupted: stopping cleanly; Ctrl-C again stops at once") })
}

// runOn runs a command on the VM that was launched: on the terminal if there is one, else as exec does.
func (a createCommands) runOn(ctx context.Context, s *session, result *launch.Result, command []string) error {
	if a.streams.InTTY && a.streams.OutTTY && !a.output.Structured() {
		return connectCommands{a.app}.connect(ctx, s, result.Host, vm.Match{VM: result.VM}, interactive{flags: connectFlags{attempts: -1}, command: command})
	}
	client, err := remote.Dial(ctx, result.Host)
	if err != nil {
		return stranded(err, result.VM.Name)
	}
	defer client.Close()
	return connectCommands{a.app}.exec(ctx, client, result.VM.Name, remote.Command{Line: remote.CommandLine(command)})
}
