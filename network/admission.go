package network

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
)

// NotAdmitted is the error when a VM's security group does not admit the operator. Admit fixes it.
type NotAdmitted struct {
	SSHAdmission

	VM     string       // name
	NICs   []string     // ids of its network interfaces
	Source netip.Prefix // the operator's address
}

// Error describes who is refused by which rule.
func (n *NotAdmitted) Error() string {
	return fmt.Sprintf("connect to %s: your address %s is not admitted: rule %s of network security group %s refuses it",
		n.VM, n.source(), n.Rule, n.group())
}

// Unwrap returns an error of kind Unreachable and of class remote.ErrConnection.
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

// Check checks that a VM's security groups admit the operator (networkInterfaces/get, networkSecurityGroups/get,
// virtualNetworks/get). nics are the ids of its network interfaces. If they do not, its error is a *NotAdmitted.
func (o Operator) Check(ctx context.Context, vm string, nics []string) error {
	source, err := o.From(ctx)
	if err != nil {
		return err
	}
	a, err := o.Network.SSHAdmission(ctx, nics, source.Addr(), 0)
	if err != nil || a.Admitted {
		return err
	}
	return &NotAdmitted{SSHAdmission: a, VM: vm, NICs: nics, Source: source}
}

// Admit changes the operator's rule to the operator's current address (securityRules/createOrUpdate). Other rules stay; a
// group that azlin did not create is not changed.
func (o Operator) Admit(ctx context.Context, n *NotAdmitted) error {
	fail := func(err error) error {
		return &errkind.Error{Kind: errkind.Unreachable, Op: "admit you to", Resource: n.VM, Class: remote.ErrConnection, Err: err}
	}
	if !n.Writable {
		return fail(fmt.Errorf("network security group %s is not azlin's: its owner has to admit %s at port 22", n.group(), n.source()))
	}
	if err := o.Network.AllowSSH(ctx, n.NSG, SSHAccess{Rule: SSHRuleName(o.Name), Sources: []netip.Prefix{n.Source}}); err != nil {
		return err
	}
	a, err := o.Network.SSHAdmission(ctx, n.NICs, n.Source.Addr(), 0)
	switch {
	case err != nil:
		return err
	case !a.Admitted:
		still := NotAdmitted{SSHAdmission: a, VM: n.VM, NICs: n.NICs, Source: n.Source}
		return fail(fmt.Errorf("your rule is right now, but rule %s of network security group %s refuses you all the same", a.Rule, still.group()))
	}
	return nil
}
