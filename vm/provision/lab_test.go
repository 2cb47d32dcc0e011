package provision_test

import (
	"net/netip"
	"sync"
	"testing"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/local/audit"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/provision"
)

const (
	group  = "azlin-rg"
	region = "westus2"
	key    = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9hJ5Wq3X0mV9p4mYQ0gJd2bq0m2m8zjv6iWf6yqk3f ann@laptop"
)

// lab is a local Azure with a client in front of it.
type lab struct {
	*local.Azure
	t   *testing.T
	emu *emulator.Emulator
}

func newLab(t *testing.T, o emulator.Options) *lab {
	t.Helper()
	a := local.New(t, o)
	return &lab{a, t, a.Emulator}
}

// services are what works on VMs, together.
type services struct {
	*vm.Service
	*provisioner
}

type provisioner = provision.Service

func newServices(c *azure.Client) *services {
	vms := vm.New(c, vm.Options{})
	return &services{vms, provision.New(c, provision.Options{VMs: vms})}
}

// open is what a new process does: another client, and nothing remembered.
func (l *lab) open(change ...func(*azure.Options)) (*services, *azure.Client) {
	l.t.Helper()
	c := l.Client(change...)
	return newServices(c), c
}

func config(name string) provision.Config {
	return provision.Config{
		Name: name, ResourceGroup: group, Region: region, Size: "Standard_D2s_v5", SSHPublicKeys: []string{key},
		CustomData: []byte("#cloud-config\n"), SSHSources: []netip.Prefix{netip.MustParsePrefix("203.0.113.10/32")},
		Owner: "ann", OperationID: "op-" + name, HostKey: "ssh-ed25519 AAAAhost",
	}
}

// recorded collects audit records.
type recorded struct {
	mu  sync.Mutex
	all []audit.Record
}

func (c *recorded) add(r audit.Record) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, r)
	return nil
}
