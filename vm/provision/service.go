// Package provision creates VMs with everything they need, resumes interrupted creates, and finds unfinished ones.
package provision

import (
	"errors"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/resourcegroup"
	"github.com/azlin-dev/azlin/internal/keylock"
	"github.com/azlin-dev/azlin/network"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/catalog"
	"github.com/azlin-dev/azlin/vm/disk"
)

// ErrProvisioning is the class of this package's failures, for errors.Is. errkind.Of gives their kind.
var ErrProvisioning = errors.New("vm provisioning failed")

// Options are the services a Service uses; nil: its own. Its own catalog keeps no files.
type Options struct {
	VMs     *vm.Service
	Catalog *catalog.Service
	Network *network.Service
	Disks   *disk.Service
}

// Service creates the VMs of one subscription. It is safe for concurrent use.
type Service struct {
	azure   *azure.Client
	vms     *vm.Service
	catalog *catalog.Service
	network *network.Service
	disks   *disk.Service
	groups  *resourcegroup.Service
	locks   keylock.Locks
}

// New returns the service of c's subscription. It sends no request.
func New(c *azure.Client, o Options) *Service {
	s := &Service{azure: c, vms: o.VMs, catalog: o.Catalog, network: o.Network, disks: o.Disks, groups: resourcegroup.New(c)}
	if s.network == nil {
		s.network = network.New(c)
	}
	if s.vms == nil {
		s.vms = vm.New(c, vm.Options{Network: s.network})
	}
	if s.catalog == nil {
		s.catalog = catalog.New(c, "")
	}
	if s.disks == nil {
		s.disks = disk.New(c)
	}
	return s
}

// vmID is the ARM id of a VM of this subscription.
func (s *Service) vmID(group, name string) string {
	return azure.NewID(s.azure.SubscriptionID(), group, "Microsoft.Compute", "virtualMachines", name).String()
}
