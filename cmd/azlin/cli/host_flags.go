package cli

import (
	"context"
	"os"

	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
	"github.com/spf13/cobra"
)

// hostFlags choose how a VM is reached.
type hostFlags struct {
	user      string
	key       string
	bastion   string
	acceptNew bool
	relearn   bool // of connect only
}

func (f *hostFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.user, "user", "", "login user; default: the VM's admin user")
	cmd.Flags().StringVar(&f.key, "key", "", "private key to sign in with; default: ~/.ssh/azlin_key, then the agent's")
	addBastion(cmd, &f.bastion)
	cmd.Flags().BoolVar(&f.acceptNew, "accept-new-host-key", false, "record the host key of a VM whose key Azure cannot tell")
}

func addBastion(cmd *cobra.Command, name *string) {
	cmd.Flags().StringVar(name, "bastion", "", "go through this Bastion, or with no name through the best one, even to a VM with a public address")
	cmd.Flags().Lookup("bastion").NoOptDefVal = reach.AnyBastion
}

// host finds the VM that name means and how to reach it.
func (a *app) host(ctx context.Context, s *session, name string, f hostFlags) (vm.Match, remote.Host, error) {
	if err := remote.CheckKeyPath(f.key); err != nil {
		return vm.Match{}, remote.Host{}, err
	}
	match, err := s.VMs.Resolve(ctx, name, s.Azure.Target().ResourceGroup)
	if err != nil {
		return match, remote.Host{}, err
	}
	host, err := s.Reach.Host(ctx, match.VM, reach.Options{
		User: f.user, KeyPath: a.keyPath(f.key), AcceptNewHostKey: f.acceptNew, RelearnHostKey: f.relearn, Bastion: f.bastion,
	})
	return match, host, err
}

// keyPath is the key that was asked for, else azlin's own if it exists.
func (a *app) keyPath(asked string) string {
	if asked != "" {
		return asked
	}
	if remote.KeyExists(a.paths.SSHDir, "") {
		return a.paths.SSHDir + "/" + remote.DefaultKeyName
	}
	return ""
}

// proxyCommand begins the command that carries a connection through a Bastion for the system's ssh: this program
// again, in the same context. Without it ssh reaches public addresses only.
func proxyCommand(context string) []string {
	self, err := os.Executable()
	if err != nil {
		return nil
	}
	if context == "" {
		return []string{self, "proxy"}
	}
	return []string{self, "proxy", "--context=" + context}
}
