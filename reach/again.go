package reach

import (
	"context"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
)

// Again asks Azure anew about a VM that was reached before, for a remote.ReconnectHandler's Route: its address and state
// may have changed, and with it the way there (three requests, or five through a Bastion). Its error is that of Host;
// NotFound when the VM is no more, and Conflict when another one has its name.
func (f Finder) Again(i vm.Info, o Options) func(context.Context) (remote.Host, error) {
	o.RelearnHostKey, o.AcceptNewHostKey = false, false
	return func(ctx context.Context) (remote.Host, error) {
		now, err := f.VMs.Get(ctx, i.Ref)
		if err != nil {
			return remote.Host{}, err
		}
		if !strings.EqualFold(now.VMID, i.VMID) {
			return remote.Host{}, &errkind.Error{
				Kind: errkind.Conflict, Op: "connect to", Resource: i.Name, Class: remote.ErrConnection,
				Err:  errkind.New(errkind.Conflict, "the VM is gone, and another one has its name"),
				Next: errkind.Step{Action: errkind.ConnectVM, VM: i.Name},
			}
		}
		return f.Host(ctx, now, o)
	}
}
