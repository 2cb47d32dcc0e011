package cli

import (
	"cmp"
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/history"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
)

// connectFlags shape an interactive connection.
type connectFlags struct {
	hostFlags

	noTmux bool
}

func newConnectCommand(a *app) *cobra.Command {
	var flags connectFlags
	cmd := &cobra.Command{
		Use:   "connect [VM[:SESSION]] [-- COMMAND [ARG...]]",
		Short: "Connect to a VM, inside tmux",
		Long: `Connects to a VM with the system's ssh and joins a tmux session there, which is made if need be and goes on
when the connection is lost. The session is the one after the colon, else the VM's session name, else
'azlin'. With a command, that is run on a terminal instead, without tmux.

Without a VM it is the one that was created last (last_vm_name in the configuration).

The VM's host key is checked against the one that azlin gave it. azlin ends with the exit code of ssh:
the remote one, or 255 when the connection failed.`,
		Example: `  azlin connect
  azlin connect dev
  azlin connect dev:build
  azlin connect dev -- htop`,
		Annotations: map[string]string{passesExitCode: "yes"},
		RunE: func(cmd *cobra.Command, args []string) error {
			name, command := "", args
			if len(args) > 0 && cmd.ArgsLenAtDash() != 0 {
				name, command = args[0], args[1:]
			} else if settings, err := a.resolution(); err != nil {
				return err
			} else if name = settings.Config.LastVMName; name == "" {
				return usage(cmd, "want a VM: none was created from here that would be the last one")
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			match, host, err := a.host(cmd.Context(), s, name, flags.hostFlags)
			if err != nil {
				return err
			}
			return a.connect(cmd.Context(), s, host, match, flags.noTmux, command)
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&flags.noTmux, "no-tmux", false, "a plain login shell")
	cmd.Flags().BoolVar(&flags.relearn, "forget-host-key", false, "the VM was rebuilt: forget its host key and ask Azure for the new one")
	return cmd
}

// connect runs the interactive session, records its start and end, and turns ssh's exit code into ours.
func (a *app) connect(ctx context.Context, s *session, host remote.Host, match vm.Match, noTmux bool, command []string) error {
	name := cmp.Or(match.TmuxSession, match.VM.SessionName, remote.DefaultSession)
	if noTmux || len(command) > 0 {
		name = ""
	}
	in := remote.Interactive{
		Host: host, KnownHosts: a.knownHosts(), NoTmux: noTmux, Command: command, Session: name,
		Stdin: a.streams.In, Stdout: a.streams.Out, Stderr: a.streams.Err,
	}
	if _, err := in.Args(); err != nil { // what cannot be tried is not recorded
		return err
	}
	ended := a.recordConnection(ctx, history.Connection{
		VM: match.VM.Name, ResourceGroup: match.VM.ResourceGroup, SubscriptionID: s.Azure.SubscriptionID(),
		Context: s.context.Name, Address: host.Address, Session: name,
	})
	code, err := remote.Connect(ctx, in)
	if err != nil {
		ended(remote.DisconnectExitCode)
		return err
	}
	ended(code)
	if code != 0 {
		return remoteExit(code)
	}
	return nil
}

// recordConnection records that a connection begins, and by the function it returns that it has ended. A
// record that cannot be kept is no reason not to connect.
func (a *app) recordConnection(ctx context.Context, c history.Connection) (ended func(exitCode int)) {
	log := history.Log{Path: a.paths.History}
	id, err := log.Start(ctx, c)
	if err != nil {
		a.say("warning: " + err.Error())
		return func(int) {}
	}
	return func(exitCode int) {
		// It is recorded, too, when the connection ended because somebody interrupted azlin.
		if err := log.End(context.WithoutCancel(ctx), id, exitCode, time.Time{}); err != nil {
			a.say("warning: " + err.Error())
		}
	}
}
