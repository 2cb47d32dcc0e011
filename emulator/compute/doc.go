// Package compute emulates Microsoft.Compute: virtual machines with their power states, instance
// views, extensions and Run Command, managed disks, snapshots, galleries, marketplace images, sizes and quota.
//
// Scale sets, availability sets, dedicated hosts, encryption sets and restore points are
// not here.
package compute

import (
	"context"
	"net/http"
	"net/netip"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/compute/catalogue"
	"github.com/azlin-dev/azlin/emulator/compute/gallery"
	"github.com/azlin-dev/azlin/emulator/compute/manageddisk"
	"github.com/azlin-dev/azlin/emulator/compute/schema"
	"github.com/azlin-dev/azlin/emulator/network"
)

// Machine is a VM as something that boots.
type Machine struct {
	ID, VMID, Hostname string
	AdminUser          string
	AdminKeys          []string // authorized_keys lines
	CustomData         []byte
	Addresses          []netip.Addr // public ones
	Admitted           bool         // the operator gets through to the SSH port
	Lazy               bool         // may wait for its first connection
	Disk               string       // the key of what its disk begins with; empty: the image
}

// RunResult is what a script on a VM gave.
type RunResult struct {
	Stdout, Stderr string
	ExitCode       int
}

// Hosts boots machines. It is declared here, by its consumer, so that this package needs no host to
// exist: without one VMs exist in Azure Resource Manager only.
type Hosts interface {
	Start(ctx context.Context, m Machine) error
	Stop(ctx context.Context, id string) error
	Restart(ctx context.Context, id string) error
	Run(ctx context.Context, id, script string, params []string) (RunResult, error)
	PutUser(ctx context.Context, id, user string, keys []string) error
	Console(id string) ([]byte, error)

	// Keep copies what a machine has on its disk under a key, CopyKept from one key to another, and Forget removes it.
	Keep(ctx context.Context, id, key string) error
	CopyKept(ctx context.Context, from, to string) error
	Forget(key string)
}

// Options set up a Provider.
type Options struct {
	Hosts Hosts // nil: none
	// Operator is the address from which VMs are reached, for Machine.Admitted.
	Operator netip.Addr
	// Quota overrides the vCPU limits of a region by usage name (standardDSv5Family, cores,
	// lowPriorityCores).
	Quota map[string]int
	// Restricted are sizes that the subscription may not use: "size", "size@region" or
	// "size@region/zone".
	Restricted []string
	// Exhausted are sizes of which a region has none left, in the forms of Restricted.
	Exhausted []string
	// EncryptionAtHost says that the feature is registered.
	EncryptionAtHost bool
}

// Provider is Microsoft.Compute on a server.
type Provider struct {
	s         *arm.Server
	net       *network.Provider
	opt       Options
	blobs     http.Handler
	disks     *manageddisk.Disks
	galleries *gallery.Galleries
}

// Register adds the provider to a server.
func Register(s *arm.Server, net *network.Provider, opt Options) *Provider {
	p := &Provider{s: s, net: net, opt: opt}
	schema.Introduce(s)
	p.disks = manageddisk.Register(s, opt.Hosts, func(vm *arm.Resource) bool { return power(vm) == powerDeallocated })
	p.vms()
	p.vmActions()
	p.extensions()
	p.runCommands()
	p.diagnostics()
	p.galleries = gallery.Register(s, p.disks)
	catalogue.Register(s, opt.Restricted)
	p.usages()
	return p
}
