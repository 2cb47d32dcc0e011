package reach

import (
	"context"
	"time"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
)

// Dial finds the route to a VM and signs in. The caller closes the client. Its error is Host's or remote.Dial's.
func (f Finder) Dial(ctx context.Context, i vm.Info, o Options) (*remote.Client, error) {
	h, err := f.Host(ctx, i, o)
	if err != nil {
		return nil, err
	}
	return remote.Dial(ctx, h)
}

// Execute runs a shell line on a VM as its login user, and returns its output; timeout zero is five minutes. A failed
// command is a Result without Success, not an error. It reads the VM (three requests) and connects for this one line; to run
// more, keep the client of Dial. The line is not recorded: azlin's own changes go through Guard.
func (f Finder) Execute(ctx context.Context, ref vm.Ref, line string, timeout time.Duration, o Options) (remote.Result, error) {
	i, err := f.VMs.Get(ctx, ref)
	if err != nil {
		return remote.Result{}, err
	}
	h, err := f.Host(ctx, i, o)
	if err != nil {
		return remote.Result{}, err
	}
	return remote.Execute(ctx, h, line, timeout)
}

// Connect runs an interactive session on a VM with the system's ssh, and reconnects up to three times in a row: see
// remote.Connector. in specifies what to run and the streams; its Host and KnownHosts are set here and must be zero. It
// returns the session's exit code.
func (f Finder) Connect(ctx context.Context, ref vm.Ref, in remote.Interactive, o Options) (exitCode int, err error) {
	if in.Host.Address != "" || in.Host.Name != "" || in.KnownHosts.Path != "" {
		return 0, errkind.New(errkind.Invalid, "connect to %s: the host is found by the VM's name; use remote.Connect for one that is known", ref.Name)
	}
	i, err := f.VMs.Get(ctx, ref)
	if err != nil {
		return 0, err
	}
	if in.Host, err = f.Host(ctx, i, o); err != nil {
		return 0, err
	}
	in.KnownHosts = f.KnownHosts
	return remote.Connector{ReconnectHandler: remote.ReconnectHandler{Route: f.Again(i, o)}}.Connect(ctx, in)
}
