package launch

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/netip"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
)

// NotAdmitted is the failure when a VM's security group does not let the operator in. Admit does something about it.
type NotAdmitted struct {
	vm.SSHAdmission

	VM     vm.Info
	Source netip.Prefix // from where the operator comes
}

// Error says who is refused, by what.
func (n *NotAdmitted) Error() string {
	return fmt.Sprintf("connect to %s: your address %s is not admitted: rule %s of network security group %s refuses it",
		n.VM.Name, n.source(), n.Rule, n.group())
}

// Unwrap makes it an error of kind Unreachable and of class remote.ErrConnection.
func (n *NotAdmitted) Unwrap() error {
	return &errkind.Error{Kind: errkind.Unreachable, Class: remote.ErrConnection}
}

func (n *NotAdmitted) source() string {
	if n.Source.IsSingleIP() {
		return n.Source.Addr().String()
	}
	return n.Source.String()
}

func (n *NotAdmitted) group() string {
	id, err := azure.ParseID(n.NSG)
	if err != nil {
		return n.NSG
	}
	return id.Name()
}

// CheckAdmission looks whether a VM's security groups let the operator in: Defaults.SSHSource if there is one, else the
// address that the echo services tell. Its error is a *NotAdmitted when they do not.
func (l *Launcher) CheckAdmission(ctx context.Context, i vm.Info) error {
	source, err := l.OperatorSource(ctx)
	if err != nil {
		return err
	}
	a, err := l.VMs.SSHAdmission(ctx, i, source.Addr(), 0)
	if err != nil || a.Admitted {
		return err
	}
	return &NotAdmitted{SSHAdmission: a, VM: i, Source: source}
}

// OperatorSource is from where the operator comes: Defaults.SSHSource, else the address that the echo services tell.
func (l *Launcher) OperatorSource(ctx context.Context) (netip.Prefix, error) {
	if l.Defaults.SSHSource != "" {
		return ParseSource(l.Defaults.SSHSource)
	}
	return l.operatorAddress(ctx)
}

// operatorAddress asks the launcher's echo services for the operator's address.
func (l *Launcher) operatorAddress(ctx context.Context) (netip.Prefix, error) {
	services := l.EchoServices
	if len(services) == 0 {
		services = DefaultEchoServices()
	}
	return OperatorAddress(ctx, cmp.Or(l.HTTP, http.DefaultClient), services)
}

// Admit moves the operator's rule to where the operator is now (securityRules/createOrUpdate). The rules of others stay;
// a group that is not azlin's is not written.
func (l *Launcher) Admit(ctx context.Context, n *NotAdmitted) error {
	fail := func(err error) error {
		return &errkind.Error{Kind: errkind.Unreachable, Op: "admit you to", Resource: n.VM.Name, Class: remote.ErrConnection, Err: err}
	}
	if !n.Writable {
		return fail(fmt.Errorf("network security group %s is not azlin's: its owner has to admit %s at port 22", n.group(), n.source()))
	}
	if err := l.VMs.AllowSSH(ctx, n.NSG, vm.SSHAccess{Rule: vm.SSHRuleName(l.Owner), Sources: []netip.Prefix{n.Source}}); err != nil {
		return err
	}
	a, err := l.VMs.SSHAdmission(ctx, n.VM, n.Source.Addr(), 0)
	switch {
	case err != nil:
		return err
	case !a.Admitted:
		still := NotAdmitted{SSHAdmission: a, VM: n.VM, Source: n.Source}
		return fail(fmt.Errorf("your rule is right now, but rule %s of network security group %s refuses you all the same", a.Rule, still.group()))
	}
	return nil
}
