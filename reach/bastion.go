package reach

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/bastion"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
)

// AnyBastion in Options.Bastion means the best one that reaches the VM.
const AnyBastion = "auto"

// tunnel is a route to a VM through a Bastion.
type tunnel struct {
	service *bastion.Service
	bastion bastion.Bastion
	target  bastion.Target
}

// Dial opens a connection to the VM's SSH server.
func (t tunnel) Dial(ctx context.Context) (net.Conn, error) {
	return t.service.Dial(ctx, t.bastion, t.target)
}

// through sets a host's route through a Bastion.
func (f Finder) through(ctx context.Context, i vm.Info, h remote.Host, asked string) (remote.Host, error) {
	b, err := f.Bastion(ctx, i, asked)
	if err != nil {
		return h, err
	}
	// Bastion uses the VM's port in Azure, not the local port that an emulated host has.
	h.Via = tunnel{f.Bastions, b, bastion.Target{VM: i.ID, Port: remote.DefaultPort}}
	h.Address = i.PrivateIP
	if f.ProxyCommand != nil {
		h.ProxyCommand = f.ProxyCommand(i.ID, b.ID)
	}
	return h, nil
}

// Bastion finds the Bastion with this name or id, or, for AnyBastion and "", the best one that reaches the VM. If there is
// none, its error is Unreachable and suggests what to do.
func (f Finder) Bastion(ctx context.Context, i vm.Info, asked string) (bastion.Bastion, error) {
	fail := func(kind errkind.Kind, next errkind.Step, err error) error {
		return &errkind.Error{Kind: kind, Op: "connect to", Resource: i.Name, Class: remote.ErrConnection, Err: err, Next: next}
	}
	if f.Bastions == nil {
		return bastion.Bastion{}, fail(errkind.Unreachable, errkind.Step{}, errors.New("it has no public address"))
	}
	b, err := f.bastion(ctx, i, asked)
	if e, ok := errors.AsType[*errkind.Error](err); ok && e.Op == "" {
		return b, fail(e.Kind, e.Next, e.Err)
	}
	return b, err
}

// bastion finds the requested one, or the best that reaches the VM. An error without Op concerns the VM.
func (f Finder) bastion(ctx context.Context, i vm.Info, asked string) (bastion.Bastion, error) {
	if asked != "" && asked != AnyBastion {
		return f.Bastions.Find(ctx, asked, "")
	}
	if i.Subnet == "" {
		return bastion.Bastion{}, errkind.New(errkind.Unreachable, "it has no public address, and its network is not known")
	}
	all, err := f.Bastions.InReach(ctx, i.Subnet)
	if err != nil {
		return bastion.Bastion{}, err
	}
	var reasons []string
	for _, b := range all {
		err := b.Usable()
		if err == nil {
			return b, nil
		}
		reasons = append(reasons, err.Error())
	}
	lack := "no Bastion reaches its network"
	if i.PublicIP == "" {
		lack = "it has no public address, and " + lack
	}
	if reasons != nil {
		return bastion.Bastion{}, errkind.New(errkind.Unreachable, "%s with tunnels: %s", lack, strings.Join(reasons, "; "))
	}
	e := errkind.New(errkind.Unreachable, "%s", lack)
	if id, err := azure.ParseID(i.Subnet); err == nil {
		e.Next = errkind.Step{Action: errkind.CreateBastion, Name: id.Parent().Name(), Group: id.ResourceGroup}
	}
	return bastion.Bastion{}, e
}
