package reach

import (
	"context"
	"time"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
)

// Dial finds the way to a VM and signs in there. The caller closes the client. Its error is that of Host or remote.Dial.
func (f Finder) Dial(ctx context.Context, i vm.Info, o Options) (*remote.Client, error) {
	h, err := f.Host(ctx, i, o)
	if err != nil {
		return nil, err
	}
	return remote.Dial(ctx, h)
}

// Execute runs a shell line on a VM, as its login user, and returns what it printed; timeout zero is five minutes. A command that
// fails is a Result without Success, not an error. It reads the VM (three requests) and connects for this one line: whoever
// has more to run keeps the client of Dial. The line is not recorded: a change that azlin itself makes passes Guard.
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

// Connect runs an interactive session on a VM by the system's ssh, and makes its connection again, up to three times in a
// row, when that is lost: see remote.Connector. in says what to run and with which streams; its Host and KnownHosts are found
// here and must be zero. It returns the exit code of the session.
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
