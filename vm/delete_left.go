package vm

import (
	"context"
	"regexp"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/change"
)

// leftBehind plans the remains of an unfinished create or delete: resources that have the names a create of this VM uses,
// that azlin created, and that are not in the plan yet. The name alone is not sufficient.
func (d *deletion) leftBehind(ctx context.Context, group string) error {
	names := NamesOf(d.VM)
	vm := azure.NewID(d.azure.SubscriptionID(), group, "Microsoft.Compute", "virtualMachines", d.VM)
	nicID := azure.NewID(d.azure.SubscriptionID(), group, "Microsoft.Network", "networkInterfaces", names.NIC)
	ipID := azure.NewID(d.azure.SubscriptionID(), group, "Microsoft.Network", "publicIPAddresses", names.PublicIP)
	diskID := func(name string) azure.ID {
		return azure.NewID(d.azure.SubscriptionID(), group, "Microsoft.Compute", "disks", name)
	}
	var nic *armnetwork.Interface
	var ip *armnetwork.PublicIPAddress
	disks := make([]*armcompute.Disk, 1+maxDataDisks)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	if !d.Seen(nicID) {
		g.Go(func() (err error) { nic, err = d.network.NIC(gctx, nicID.String()); return err })
	}
	if !d.Seen(ipID) {
		g.Go(func() (err error) { ip, err = d.network.Address(gctx, ipID.String()); return err })
	}
	g.Go(func() error {
		// Data disks are numbered without gaps, so the first absent one ends the search.
		for i := range disks {
			id := diskID(names.OSDisk)
			if i > 0 {
				id = diskID(names.DataDisk(i - 1))
			}
			if d.Seen(id) {
				continue
			}
			var err error
			if disks[i], err = d.getDisk(gctx, id.String()); err != nil {
				return err
			}
			if i > 0 && disks[i] == nil {
				return nil
			}
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return err
	}
	if nic != nil && azure.Managed(azure.Tags(nic.Tags)) {
		if err := d.nic(ctx, nic, vm); err != nil {
			return err
		}
	}
	if ip != nil && azure.Managed(azure.Tags(ip.Tags)) {
		d.ip(ip, nicID)
	}
	for _, disk := range disks {
		if disk != nil && azure.Managed(azure.Tags(disk.Tags)) {
			d.disk(disk, vm)
		}
	}
	if err := d.bakedFrom(ctx, group); err != nil {
		return err
	}
	// Both check that azlin created it and that nothing uses it.
	if err := d.nsg(ctx, d.nsgID(group, names.NSG)); err != nil {
		return err
	}
	if pool, ok := poolOf(d.VM); ok {
		return d.nsg(ctx, d.nsgID(group, NamesOf(pool).NSG))
	}
	return nil
}

// builderName matches the names of temporary VMs of images.
var builderName = regexp.MustCompile(`-bake-[0-9a-f]{10}$`)

// BakeSnapshot is the name of the snapshot from which an image's temporary VM is created.
func BakeSnapshot(builder string) string { return builder + "-disk" }

// bakedFrom plans the snapshot of an image's temporary VM.
func (d *deletion) bakedFrom(ctx context.Context, group string) error {
	if !builderName.MatchString(d.VM) {
		return nil
	}
	name := BakeSnapshot(d.VM)
	resp, err := d.azure.Snapshots().Get(ctx, group, name, nil)
	if err := azure.Wrap("get snapshot", name, err); err != nil {
		if azure.IsNotFound(err) {
			return nil
		}
		return err
	}
	tags := azure.Tags(resp.Tags)
	if m, ok := CopySnapshot(tags); ok && m.Kind == change.Bake {
		d.plan(azure.NewID(d.azure.SubscriptionID(), group, "Microsoft.Compute", "snapshots", name))
	}
	return nil
}

// CopySnapshot reads the tags of a snapshot that copies a disk to other VMs and is temporary. ok reports whether it is one.
func CopySnapshot(tags map[string]string) (m change.Mark, ok bool) {
	m, ok = change.MarkOf(tags)
	return m, ok && m.Step == change.StepSnapshot && m.Key() != ""
}

// maxDataDisks is the highest number that any size supports.
const maxDataDisks = 64
