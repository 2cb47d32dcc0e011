package network_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/network"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/provision"
)

const (
	group  = "azlin-rg"
	region = "westus2"
)

// lab is a local Azure with a client in front of it.
type lab struct {
	*local.Azure

	t    *testing.T
	c    *azure.Client
	nets *network.Service
	vms  *vm.Service
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{Azure: local.New(t, emulator.Options{}), t: t}
	l.c = l.Client()
	l.nets = network.New(l.c)
	l.vms = vm.New(l.c, vm.Options{Network: l.nets})
	return l
}

// launch makes dev, whose SSH server is at a port, and gives the id of its security group.
func (l *lab) launch(port int) (i vm.Info, nsg string) {
	l.t.Helper()
	_, err := provision.New(l.c, provision.Options{VMs: l.vms, Network: l.nets}).Provision(l.t.Context(), provision.Config{
		Name: "dev", ResourceGroup: group, Region: region, Size: "Standard_D2s_v5", Owner: "ann", OperationID: "op-dev", SSHPort: port,
		SSHPublicKeys: []string{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9hJ5Wq3X0mV9p4mYQ0gJd2bq0m2m8zjv6iWf6yqk3f ann@laptop"},
		SSHSources:    []netip.Prefix{netip.MustParsePrefix("203.0.113.10/32")},
	}, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	if i, err = l.vms.Get(l.t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"}); err != nil {
		l.t.Fatal(err)
	}
	return i, strings.Replace(i.ID, "Microsoft.Compute/virtualMachines/dev", "Microsoft.Network/networkSecurityGroups/dev-nsg", 1)
}
