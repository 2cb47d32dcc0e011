package reach

import (
	"context"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
)

// Again reads a VM again that was reached before, for a remote.ReconnectHandler's Route: its address and state may have
// changed (three requests, or five through a Bastion). Its error is Host's; NotFound when the VM was deleted, and Conflict
// when another VM has its name.
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
