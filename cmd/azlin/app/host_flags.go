package app

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/vm"
)

// HostFlags choose how a VM is reached.
type HostFlags struct {
	User      string
	Key       string
	Bastion   string
	AcceptNew bool
	Relearn   bool // of connect only
}

// Add adds the flags to a command.
func (f *HostFlags) Add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.User, "user", "", "login user (default: the VM's admin user)")
	cmd.Flags().StringVar(&f.Key, "key", "", "private key (default: ~/.ssh/azlin_key, then the agent's keys)")
	AddBastion(cmd, &f.Bastion)
	cmd.Flags().BoolVar(&f.AcceptNew, "accept-new-host-key", false, "accept and record the host key if Azure has none to compare")
}

// AddBastion adds --bastion to a command.
func AddBastion(cmd *cobra.Command, name *string) {
	cmd.Flags().StringVar(name, "bastion", "", "connect through this Bastion, or without a name through the best one, even if the VM has a public address")
	cmd.Flags().Lookup("bastion").NoOptDefVal = reach.AnyBastion
}

// Host finds the VM that name means and how to reach it.
func (a *App) Host(ctx context.Context, s *Session, name string, f HostFlags) (vm.Match, remote.Host, error) {
	if err := keypair.CheckKeyPath(f.Key); err != nil {
		return vm.Match{}, remote.Host{}, err
	}
	match, err := s.Find(ctx, name)
	if err != nil {
		return match, remote.Host{}, err
	}
	host, err := s.Hosts.Host(ctx, match.VM, reach.Options{
		User: f.User, KeyPath: a.KeyPath(f.Key), AcceptNewHostKey: f.AcceptNew, RelearnHostKey: f.Relearn, Bastion: f.Bastion,
	})
	return match, host, err
}

// KeyPath is the key that was asked for, else azlin's own if it exists.
func (a *App) KeyPath(asked string) string {
	if asked != "" {
		return asked
	}
	if keypair.KeyExists(a.Paths.SSHDir, "") {
		return a.Paths.SSHDir + "/" + keypair.DefaultKeyName
	}
	return ""
}

// proxyCommand begins the command that carries a connection through a Bastion for the system's ssh: this program
// again, in the same context. Without it ssh reaches public addresses only.
func proxyCommand(context, vmID, bastionID string) []string {
	self, err := os.Executable()
	if err != nil {
		return nil
	}
	line := []string{self, "proxy"}
	if context != "" {
		line = append(line, "--context="+context)
	}
	if bastionID != "" {
		line = append(line, "--bastion="+bastionID)
	}
	return append(line, vmID)
}
