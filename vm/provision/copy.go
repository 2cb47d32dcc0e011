package provision

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm/disk"
)

// CopyOf makes c a copy of a VM's OS disk: it sets what the disk requires of a VM, and returns the disk's id. A VM whose
// disk cannot be copied is Invalid.
func (c *Config) CopyOf(m *armcompute.VirtualMachine) (id string, err error) {
	found, err := disk.CopyOf(m)
	if err != nil {
		return "", err
	}
	c.Copy, c.EncryptionAtHost = &found.Copy, found.EncryptionAtHost
	return found.Disk, nil
}

// ensureDisks creates a VM's disks from snapshots and returns their ids, the OS disk first.
func (p *run) ensureDisks(ctx context.Context) ([]string, error) {
	from := p.cfg.Copy
	wanted := []disk.FromSnapshot{{Name: p.names.OSDisk, Type: p.size.DiskType(p.cfg.OSDiskType), Snapshot: from.OSSnapshot}}
	for n, source := range from.DataSnapshots {
		kind := ""
		if n < len(p.cfg.DataDisks) {
			kind = p.cfg.DataDisks[n].Type
		}
		wanted = append(wanted, disk.FromSnapshot{Name: p.names.DataDisk(n), Type: p.size.DiskType(kind), Snapshot: source})
	}
	return p.disks.Ensure(ctx, disk.Place{
		Group: p.cfg.ResourceGroup, Region: p.cfg.Region, Zone: p.cfg.Zone, Tags: p.cfg.tags(p.now(), change.StepVM), Report: p.report, Left: p.left.add,
	}, wanted)
}

// copiedStorage attaches the existing disks.
func (p *run) copiedStorage() *armcompute.StorageProfile {
	profile := &armcompute.StorageProfile{OSDisk: &armcompute.OSDisk{
		Name: new(p.names.OSDisk), OSType: to.Ptr(armcompute.OperatingSystemTypesLinux), CreateOption: to.Ptr(armcompute.DiskCreateOptionTypesAttach),
		Caching: to.Ptr(armcompute.CachingTypesReadWrite), DeleteOption: to.Ptr(armcompute.DiskDeleteOptionTypesDelete),
		ManagedDisk: &armcompute.ManagedDiskParameters{ID: new(p.copies[0])},
	}}
	for n, id := range p.copies[1:] {
		profile.DataDisks = append(profile.DataDisks, &armcompute.DataDisk{
			Lun: new(int32(n)), CreateOption: to.Ptr(armcompute.DiskCreateOptionTypesAttach), //nolint:gosec // Azure takes 64
			DeleteOption: to.Ptr(armcompute.DiskDeleteOptionTypesDelete), ManagedDisk: &armcompute.ManagedDiskParameters{ID: new(id)},
		})
	}
	return profile
}

// validCopy finds contradictions with Copy.
func (c Config) validCopy() error {
	for _, id := range append([]string{c.Copy.OSSnapshot}, c.Copy.DataSnapshots...) {
		if parsed, err := azure.ParseID(id); err != nil || !parsed.IsType("Microsoft.Compute/snapshots") {
			return errkind.New(errkind.Invalid, "%q is not the id of a snapshot", id)
		}
	}
	if c.Image != "" || len(c.CustomData) > 0 || c.HostKey != "" {
		return errkind.New(errkind.Invalid, "a copy of disks takes no image, no cloud-init data and no host key: all that is on the disks")
	}
	if len(c.DataDisks) > len(c.Copy.DataSnapshots) {
		return errkind.New(errkind.Invalid, "%d data disks are wanted of %d snapshots", len(c.DataDisks), len(c.Copy.DataSnapshots))
	}
	return nil
}
