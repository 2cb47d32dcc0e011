package route

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/bastion"
	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/vm"
)

type tunnelFlags struct {
	bastion         string
	port, localPort int
}

func newBastionTunnelCommand(a Commands) *cobra.Command {
	var flags tunnelFlags
	cmd := &cobra.Command{
		Use:   "tunnel VM",
		Short: "Forward a local port to a VM through a Bastion",
		Long: `Opens a port on 127.0.0.1 that forwards to a port of a VM through a Bastion, for programs that cannot run 'azlin proxy'.
It prints the address and runs until it is interrupted. Any number of connections can be open at once. On start, it ends
sessions at Bastions that killed azlin processes of this machine left open.

You can give an address in the Bastion's networks instead of a VM if IP connect is enabled; then --bastion is required.`,
		Example: `  azlin bastion tunnel dev
  azlin bastion tunnel dev --port 5432 --local-port 15432
  azlin bastion tunnel 10.7.0.4 --bastion=hub`,
		Args: app.Exactly(1, "one VM or address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if flags.port < 1 || flags.port > 65535 {
				return app.Usage(cmd, "--port %d is not a port", flags.port)
			}
			if flags.localPort < 0 || flags.localPort > 65535 {
				return app.Usage(cmd, "--local-port %d is not a port", flags.localPort)
			}
			return a.tunnel(cmd.Context(), args[0], flags)
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.bastion, "bastion", reach.AnyBastion, "name or id of the Bastion (default: the best one that reaches the VM)")
	f.IntVar(&flags.port, "port", 22, "port of the VM")
	f.IntVar(&flags.localPort, "local-port", 0, "local port (0: a free one)")
	return cmd
}

// tunnelView is the JSON of a tunnel that is open.
type tunnelView struct {
	Target    string `json:"target"`
	Port      int    `json:"port"`
	Bastion   string `json:"bastion"`
	LocalHost string `json:"local_host"`
	LocalPort int    `json:"local_port"`
}

func (a Commands) tunnel(ctx context.Context, name string, flags tunnelFlags) error {
	s, err := a.Open(ctx)
	if err != nil {
		return err
	}
	b, target, err := tunnelTarget(ctx, s, name, flags)
	if err != nil {
		return err
	}
	if n, err := a.sweepBastions(ctx, s); err != nil {
		a.Say("warning: " + err.Error())
	} else if n > 0 {
		a.Say(fmt.Sprintf("note: %d sessions of killed processes were ended", n))
	}
	f, err := s.Bastions.Forward(ctx, b, target, flags.localPort, func(err error) { a.Say("warning: " + err.Error()) })
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() //nolint:contextcheck // it has a deadline of its own; what the Bastion does not end now is for the next clean-up
	if err := f.Check(ctx); err != nil {
		return err
	}
	v := tunnelView{Target: name, Port: flags.port, Bastion: b.Name, LocalHost: "127.0.0.1", LocalPort: f.Port()}
	err = a.Output.Print(term.View{Data: v, Grid: term.Rows([]tunnelView{v}, []term.Column[tunnelView]{
		{Name: "local", Value: func(v tunnelView) string { return fmt.Sprintf("%s:%d", v.LocalHost, v.LocalPort) }},
		{Name: "target", Value: func(v tunnelView) string { return fmt.Sprintf("%s:%d", v.Target, v.Port) }},
		{Name: "bastion", Value: func(v tunnelView) string { return v.Bastion }},
	})})
	if err != nil {
		return err
	}
	<-ctx.Done()
	return context.Cause(ctx)
}

// tunnelTarget finds where a tunnel is to lead and the Bastion that it goes through.
func tunnelTarget(ctx context.Context, s *app.Session, name string, flags tunnelFlags) (bastion.Bastion, bastion.Target, error) {
	group := s.Azure.Target().ResourceGroup
	ip, err := netip.ParseAddr(name)
	if err == nil && flags.bastion != reach.AnyBastion {
		b, err := s.Bastions.Find(ctx, flags.bastion, group)
		return b, bastion.Target{IP: ip, Port: flags.port}, err
	}
	match, err := s.Find(ctx, name)
	if err != nil {
		return bastion.Bastion{}, bastion.Target{}, err
	}
	b, err := s.Hosts.Bastion(ctx, match.VM, flags.bastion)
	return b, bastion.Target{VM: match.VM.ID, Port: flags.port}, startFirst(match.VM, err)
}

// startFirst says of a VM that is stopped that it is, whatever else is in the way.
func startFirst(i vm.Info, err error) error {
	if !i.IsStopped() {
		return err
	}
	return &errkind.Error{Kind: errkind.Conflict, Op: "tunnel to", Resource: i.Name, Err: fmt.Errorf("it is %s", i.PowerState), Next: errkind.Step{Action: errkind.StartVM, VM: i.Name}}
}
