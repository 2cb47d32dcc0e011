package route

import (
	"context"
	"errors"
	"io"
	"net"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/bastion"
	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
)

// proxyGoodbye is how long a VM may take to end a connection on which nothing more is said to it.
const proxyGoodbye = 5 * time.Second

func newProxyCommand(a Commands) *cobra.Command {
	var through string
	cmd := &cobra.Command{
		Use:   "proxy VM",
		Short: "Connect standard input and output to a VM's SSH server",
		Long: `Connects to the SSH server of a VM, through a Bastion if it has no public address, and forwards standard input and output.
Used as a ProxyCommand, it lets every program that uses ssh reach private VMs. proxy does not check the host key; ssh
does.

You can also give a VM by its Azure resource id; with --bastion, no lookup is needed.`,
		Example: `  azlin proxy dev
  ssh -o ProxyCommand='azlin proxy dev' azureuser@dev
  rsync -e "ssh -o ProxyCommand='azlin proxy dev'" -a project azureuser@dev:`,
		Args:        app.Exactly(1, "one VM"),
		Annotations: map[string]string{app.PassesExitCode: "yes"},
		RunE: func(cmd *cobra.Command, args []string) error {
			// ssh sends this when it has done; the connection ends with standard input all the same, and properly.
			signal.Ignore(syscall.SIGHUP)
			return a.proxy(cmd.Context(), args[0], through)
		},
	}
	app.AddBastion(cmd, &through)
	return cmd
}

func (a Commands) proxy(ctx context.Context, name, through string) error {
	s, err := a.Open(ctx)
	if err != nil {
		return err
	}
	conn, err := a.proxyConn(ctx, s, name, through)
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	go func() {
		_, _ = io.Copy(conn, a.Streams.In) // the other direction tells
		// ssh has gone, or will in a moment: a VM that says nothing any more must not keep this process.
		time.AfterFunc(proxyGoodbye, func() { _ = conn.Close() })
		if half, ok := conn.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
			return
		}
		_ = conn.Close()
	}()
	n, err := io.Copy(a.Streams.Out, conn)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case n > 0 || errors.Is(err, net.ErrClosed): // what ends a connection that worked is told to ssh by its end
		return nil
	}
	return err
}

func (a Commands) proxyConn(ctx context.Context, s *app.Session, name, through string) (net.Conn, error) {
	if strings.HasPrefix(name, "/") && through != "" && through != reach.AnyBastion {
		id, err := azure.ParseID(name)
		if err != nil {
			return nil, err
		}
		if !id.IsType("Microsoft.Compute/virtualMachines") || !strings.EqualFold(id.Subscription, s.Azure.SubscriptionID()) {
			return nil, errkind.New(errkind.Invalid, "%s is not the id of a VM in subscription %s", name, s.Azure.SubscriptionID())
		}
		b, err := s.Bastions.Find(ctx, through, s.Azure.Target().ResourceGroup)
		if err != nil {
			return nil, err
		}
		return s.Bastions.Dial(ctx, b, bastion.Target{VM: name})
	}
	if strings.HasPrefix(name, "/") {
		id, err := azure.ParseID(name)
		if err != nil {
			return nil, err
		}
		info, err := s.VMs.Get(ctx, vm.Ref{ResourceGroup: id.ResourceGroup, Name: id.Name()})
		if err != nil {
			return nil, err
		}
		host, err := s.Hosts.Way(ctx, info, reach.Options{Bastion: through})
		if err != nil {
			return nil, err
		}
		return remote.Open(ctx, host)
	}
	match, err := s.Find(ctx, name)
	if err != nil {
		return nil, err
	}
	host, err := s.Hosts.Way(ctx, match.VM, reach.Options{Bastion: through})
	if err != nil {
		return nil, err
	}
	return remote.Open(ctx, host)
}
