package reach

import (
	"context"
	"errors"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
)

// Configured is Host for a configuration file that is used later. It sends no request, so the VM need not be running. A VM
// without a public address (with proxy, every VM) is reached by Finder.ProxyCommand, which finds the route when it is used.
// Its error is HostKey when the VM's host key is neither recorded nor in its tag.
func (f Finder) Configured(ctx context.Context, i vm.Info, o Options, proxy bool) (remote.Host, error) {
	h := f.describe(i, o)
	fail := func(kind errkind.Kind, class error, text string) error {
		return &errkind.Error{Kind: kind, Op: "configure ssh for", Resource: i.Name, Class: class, Err: errors.New(text), Next: errkind.Step{Action: errkind.ConnectVM, VM: i.Name}}
	}
	if h.Address == "" || proxy {
		if f.ProxyCommand == nil {
			return h, fail(errkind.Unreachable, remote.ErrConnection, "it has no public address")
		}
		h.ProxyCommand = f.ProxyCommand(i.ID, "")
	}
	var err error
	if h.HostKey, err = f.KnownHosts.Identify(ctx, i.VMID, i.HostKey()); err == nil && h.HostKey == nil {
		err = fail(errkind.HostKey, remote.ErrHostKey, "its host key is not known")
	}
	return h, err
}
