package connect

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/terminal"
	"github.com/azlin-dev/azlin/vm"
)

// Flags shape an interactive connection.
type Flags struct {
	app.HostFlags

	noTmux, agent, noReconnect, yes bool

	local, remote, dynamic []string
	Attempts               int // -1: as the configuration says

	window windowFlags
}

func newConnectCommand(a Commands) *cobra.Command {
	var flags Flags
	cmd := &cobra.Command{
		Use:     "connect [VM[:SESSION]] [-- COMMAND [ARG...]]",
		Aliases: []string{"ssh"},
		Short:   "Connect to a VM, inside tmux",
		Long: `Connects to a VM with the system's ssh and attaches to a tmux session there, creating it if needed. The session keeps
running when the connection is lost. Its name is the part after the colon in VM:SESSION, or the VM's session name, or
'azlin'. With a command, connect runs that on a terminal instead, without tmux.

Without a VM, connect uses the one created last (last_vm_name in the configuration).

If the connection is lost, azlin reconnects, restores the port forwards and shows what it is waiting for. It asks Azure
each time, so it finds a new address or Bastion. --max-attempts limits the attempts in a row: the first takes up to
ssh_timeout, each further one twice as long as the one before, up to a minute. A refused key or a changed host key ends
the attempts. A command is never run twice, and without a terminal azlin does not reconnect.

azlin asks before it starts a stopped VM or adds your new address to the security group. --yes answers both.

The VM's host key is checked against the one that azlin created for it. azlin exits with the exit code of ssh: the remote
command's, or 255 if the connection failed.`,
		Example: `  azlin connect
  azlin connect dev
  azlin connect dev:build --new-window
  azlin connect dev -L 8080:localhost:80 -R 9000:localhost:9000
  azlin connect dev --max-attempts 0
  azlin connect dev -- htop`,
		Annotations: map[string]string{app.PassesExitCode: "yes"},
		RunE: func(cmd *cobra.Command, args []string) error {
			name, command := "", args
			if len(args) > 0 && cmd.ArgsLenAtDash() != 0 {
				name, command = args[0], args[1:]
			} else if settings, err := a.Resolution(); err != nil {
				return err
			} else if name = settings.Config.LastVMName; name == "" {
				return app.Usage(cmd, "no VM given, and none was created from this machine yet")
			}
			if cmd.Flags().Changed("max-attempts") && flags.Attempts < 0 {
				return app.Usage(cmd, "--max-attempts %d is negative", flags.Attempts)
			}
			if flags.agent && a.Env.SSHAuthSock == "" {
				return errkind.New(errkind.Prerequisite, "there is no SSH agent to lend: SSH_AUTH_SOCK is not set; start one with 'eval $(ssh-agent)', or leave out -A")
			}
			forwards, err := flags.forwards()
			if err != nil {
				return err
			}
			s, err := a.Open(cmd.Context())
			if err != nil {
				return err
			}
			if flags.window.asked() { // or a VM would be started for nothing
				if err := a.launcher(s).Check(terminal.Config{}); err != nil {
					return err
				}
			}
			match, host, err := a.hostOrStart(cmd.Context(), s, name, flags)
			if err != nil {
				return err
			}
			if flags.window.asked() {
				return a.connectInWindow(cmd, s, match, flags.window, command)
			}
			return a.Connect(cmd.Context(), s, host, match, Interactive{Flags: flags, forwards: forwards, Command: command})
		},
	}
	flags.Add(cmd)
	flags.window.add(cmd)
	f := cmd.Flags()
	f.BoolVar(&flags.noTmux, "no-tmux", false, "start a login shell without tmux")
	f.BoolVar(&flags.Relearn, "forget-host-key", false, "forget the VM's host key and ask Azure for the new one, after a rebuild")
	f.StringArrayVarP(&flags.local, "local-forward", "L", nil, "forward a local port to a port that the VM reaches: [ADDRESS:]PORT:HOST:HOSTPORT, as in ssh (repeatable)")
	f.StringArrayVarP(&flags.remote, "remote-forward", "R", nil, "forward a port of the VM to a port that this machine reaches: [ADDRESS:]PORT:HOST:HOSTPORT, as in ssh (repeatable)")
	f.StringArrayVarP(&flags.dynamic, "dynamic-forward", "D", nil, "open a local SOCKS proxy through the VM: [ADDRESS:]PORT, as in ssh (repeatable)")
	f.BoolVar(&a.Flags.AllGroups, "all-groups", false, "all resource groups, also where one is set") // -A is ssh's here
	f.BoolVarP(&flags.agent, "forward-agent", "A", false, "forward your SSH agent while you are connected; root on the VM can use it")
	f.BoolVar(&flags.noReconnect, "no-reconnect", false, "exit when the connection is lost")
	f.IntVar(&flags.Attempts, "max-attempts", -1, "reconnect attempts in a row; 0 means no limit (default: max_reconnect_attempts, or 3)")
	f.Lookup("max-attempts").DefValue = "0" // the help states the default in words
	f.BoolVarP(&flags.yes, "yes", "y", false, "start a stopped VM and update your SSH rule without asking")
	return cmd
}

// forwards are those that the flags ask for.
func (f Flags) forwards() ([]remote.Forward, error) {
	var all []remote.Forward
	for _, kind := range []struct {
		kind  remote.ForwardKind
		specs []string
	}{{remote.LocalForward, f.local}, {remote.RemoteForward, f.remote}, {remote.DynamicForward, f.dynamic}} {
		for _, spec := range kind.specs {
			forward, err := remote.ParseForward(kind.kind, spec)
			if err != nil {
				return nil, err
			}
			all = append(all, forward)
		}
	}
	return all, nil
}

// Interactive is how a VM is worked on.
type Interactive struct {
	Flags    Flags
	forwards []remote.Forward
	Command  []string // empty: a shell
}

// session is the name of the tmux session, empty when there is none.
func (i Interactive) session(match vm.Match) string {
	if i.Flags.noTmux || len(i.Command) > 0 {
		return ""
	}
	return cmp.Or(match.TmuxSession, match.VM.SessionName, remote.DefaultSession)
}

// hostOrStart is host, for somebody who may want the VM to be started first.
func (a Commands) hostOrStart(ctx context.Context, s *app.Session, name string, flags Flags) (vm.Match, remote.Host, error) {
	match, host, err := a.Host(ctx, s, name, flags.HostFlags)
	if err == nil {
		return match, host, nil
	}
	m := a.mender(s, match, flags)
	if err := m.mend(ctx, err); err != nil {
		return match, host, err
	}
	return a.Host(ctx, s, name, flags.HostFlags)
}
