// Package lab is a local Azure with the services that work on VMs in it, for tests.
package lab

import (
	"testing"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/provision"
)

// What VMs have in common that are made here.
const (
	Group  = "azlin-rg"
	Region = "westus2"
	Size   = "Standard_D2s_v5"
	Key    = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9hJ5Wq3X0mV9p4mYQ0gJd2bq0m2m8zjv6iWf6yqk3f ann@laptop"
)

// Lab is a local Azure and who makes VMs in it.
type Lab struct {
	*local.Azure
	t *testing.T
}

// New makes a lab.
func New(t *testing.T, o emulator.Options) *Lab {
	t.Helper()
	return On(t, local.New(t, o))
}

// On is a lab in an Azure that is there.
func On(t *testing.T, a *local.Azure) *Lab {
	t.Helper()
	return &Lab{a, t}
}

// Services are what works on VMs, together.
type Services struct {
	*vm.Service
	*Provisioner
}

// Provisioner is embedded beside a service that has the same type name.
type Provisioner = provision.Service

// ServicesOf are the services of a client.
func ServicesOf(c *azure.Client) *Services {
	vms := vm.New(c, vm.Options{})
	return &Services{vms, provision.New(c, provision.Options{VMs: vms})}
}

// Open is what a new process does: another client, and nothing remembered.
func (l *Lab) Open(change ...func(*azure.Options)) (*Services, *azure.Client) {
	l.t.Helper()
	c := l.Client(change...)
	return ServicesOf(c), c
}

// Launch makes a VM, which may be changed before.
func (l *Lab) Launch(name string, change ...func(*provision.Config)) vm.Info {
	l.t.Helper()
	s, _ := l.Open()
	if _, err := s.Provision(l.t.Context(), Config(name, change...), nil); err != nil {
		l.t.Fatal(err)
	}
	i, err := s.Get(l.t.Context(), vm.Ref{ResourceGroup: Group, Name: name})
	if err != nil {
		l.t.Fatal(err)
	}
	return i
}

// Config is what a VM is made from.
func Config(name string, change ...func(*provision.Config)) provision.Config {
	c := provision.Config{
		Name: name, ResourceGroup: Group, Region: Region, Size: Size, SSHPublicKeys: []string{Key},
		CustomData: []byte("#cloud-config\n"), SSHSources: local.OperatorOnly(),
		Owner: "ann", OperationID: "op-" + name, HostKey: "ssh-ed25519 AAAAhost",
	}
	for _, f := range change {
		f(&c)
	}
	return c
}
