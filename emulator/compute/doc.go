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
	"github.com/azlin-dev/azlin/emulator/network"
)

// Types of this provider.
const (
	VMType        = "Microsoft.Compute/virtualMachines"
	ExtensionType = "Microsoft.Compute/virtualMachines/extensions"
	DiskType      = "Microsoft.Compute/disks"
	SnapshotType  = "Microsoft.Compute/snapshots"
	ImageType     = "Microsoft.Compute/images"

	GalleryType        = "Microsoft.Compute/galleries"
	GalleryImageType   = "Microsoft.Compute/galleries/images"
	GalleryVersionType = "Microsoft.Compute/galleries/images/versions"
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
	s     *arm.Server
	net   *network.Provider
	opt   Options
	blobs http.Handler
}

// Register adds the provider to a server.
func Register(s *arm.Server, net *network.Provider, opt Options) *Provider {
	p := &Provider{s: s, net: net, opt: opt}
	p.introduce()
	p.vms()
	p.vmActions()
	p.extensions()
	p.runCommands()
	p.diagnostics()
	p.disks()
	p.snapshots()
	p.images()
	p.galleries()
	p.sizes()
	p.usages()
	return p
}

// Versions are the api-versions of VMs, their images and sizes.
func Versions() []string {
	return []string{
		"2015-06-15", "2016-03-30", "2016-04-30-preview", "2017-03-30", "2017-12-01", "2018-04-01", "2018-06-01", "2018-10-01",
		"2019-03-01", "2019-07-01", "2019-12-01", "2020-06-01", "2020-12-01", "2021-03-01", "2021-04-01", "2021-07-01", "2021-11-01", "2022-03-01",
		"2022-08-01", "2022-11-01", "2023-03-01", "2023-07-01", "2023-09-01", "2024-03-01", "2024-07-01", "2024-11-01", "2025-04-01", "2025-11-01", "2026-04-01",
	}
}

// DiskVersions are the api-versions of disks and snapshots.
func DiskVersions() []string {
	return []string{
		"2016-04-30-preview", "2017-03-30", "2018-04-01", "2018-06-01", "2018-09-30", "2019-03-01", "2019-07-01", "2019-11-01", "2020-05-01",
		"2020-06-30", "2020-09-30", "2020-12-01", "2021-04-01", "2021-08-01", "2021-12-01", "2022-03-02", "2022-07-02", "2023-01-02", "2023-04-02",
		"2023-10-02", "2024-03-02", "2025-01-02", "2026-03-02",
	}
}

// SKUVersions are the api-versions of the list of SKUs.
func SKUVersions() []string { return []string{"2017-03-30", "2017-09-01", "2019-04-01", "2021-07-01"} }

const (
	inGroup = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Compute"
	inSub   = "/subscriptions/{subscriptionId}/providers/Microsoft.Compute"
	inPlace = inSub + "/locations/{location}"
)
