package vm

import (
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// DiskCopy makes a VM from snapshots of another one's disks, in place of an image. What is on them stays: users, their
// keys, files. Azure sends no user data to such a VM, and cloud-init makes new host keys, because it is another instance.
type DiskCopy struct {
	OSSnapshot    string   // ARM id
	DataSnapshots []string // as OSSnapshot, in the order in which they are attached
	TrustedLaunch bool     // what the disk was made for: it starts with nothing else
	SecureBoot    bool     // of TrustedLaunch
}

// CopyOf makes c a copy of a VM's OS disk, as far as that is a matter of the VM: what the disk can start with. It gives the
// disk's id. A VM whose disk cannot be copied is Invalid.
func (c *Config) CopyOf(m *armcompute.VirtualMachine) (disk string, err error) {
	if m.Properties == nil || m.Properties.StorageProfile == nil || m.Properties.StorageProfile.OSDisk == nil {
		return "", errkind.New(errkind.Invalid, "it has no OS disk to copy")
	}
	root := m.Properties.StorageProfile.OSDisk
	if root.ManagedDisk == nil || azure.Value(root.ManagedDisk.ID) == "" {
		return "", errkind.New(errkind.Invalid, "it has no managed OS disk to copy")
	}
	if root.DiffDiskSettings != nil {
		return "", errkind.New(errkind.Invalid, "its OS disk is ephemeral: Azure makes no snapshots of that")
	}
	c.Copy = &DiskCopy{}
	if s := m.Properties.SecurityProfile; s != nil {
		c.Copy.TrustedLaunch = azure.Value(s.SecurityType) == armcompute.SecurityTypesTrustedLaunch
		c.Copy.SecureBoot = s.UefiSettings != nil && azure.Value(s.UefiSettings.SecureBootEnabled)
		c.EncryptionAtHost = azure.Value(s.EncryptionAtHost)
	}
	return azure.Value(root.ManagedDisk.ID), nil
}

// ensureDisks makes the disks of a VM from snapshots (disks/createOrUpdate) and gives their ids, the OS disk first. One
// that an earlier run has made is taken as it is, and one that it failed to make is made anew: nothing may be on it.
func (p *provision) ensureDisks(ctx context.Context) ([]string, error) {
	from := p.cfg.Copy
	sources := append([]string{from.OSSnapshot}, from.DataSnapshots...)
	ids := make([]string, len(sources))
	g, ctx := errgroup.WithContext(ctx)
	for n, source := range sources {
		name, kind := p.names.OSDisk, p.cfg.OSDiskType
		if n > 0 {
			name, kind = p.names.DataDisk(n-1), ""
			if n <= len(p.cfg.DataDisks) {
				kind = p.cfg.DataDisks[n-1].Type
			}
		}
		g.Go(func() (err error) {
			ids[n], err = p.ensureDisk(ctx, name, kind, source)
			return err
		})
	}
	return ids, g.Wait()
}

func (p *provision) ensureDisk(ctx context.Context, name, kind, source string) (string, error) {
	var have armcompute.DisksClientGetResponse
	state, err := azure.Settle(ctx, p.azure, "get disk", name, func(ctx context.Context) (state string, err error) {
		if have, err = p.azure.Disks().Get(ctx, p.cfg.ResourceGroup, name, nil); err == nil && have.Properties != nil {
			state = azure.Value(have.Properties.ProvisioningState)
		}
		return state, err
	})
	switch {
	case err == nil:
		if err := p.owned("disk", name, azure.Value(have.Location), azure.Tags(have.Tags)); err != nil {
			return "", err
		}
		p.left.add(azure.Value(have.ID))
		if !strings.EqualFold(state, "Failed") {
			return azure.Value(have.ID), nil
		}
		if _, err := azure.Run(ctx, p.azure, "delete disk", name, func(ctx context.Context) (*runtime.Poller[armcompute.DisksClientDeleteResponse], error) {
			return p.azure.Disks().BeginDelete(ctx, p.cfg.ResourceGroup, name, nil)
		}); err != nil {
			return "", err
		}
	case !azure.IsNotFound(err):
		return "", err
	}
	azure.Report(p.report, "creating disk "+name)
	model := armcompute.Disk{
		Location: new(p.cfg.Region), Tags: azure.SDKTags(p.cfg.tags(p.now(), stepVM)),
		SKU: &armcompute.DiskSKU{Name: new(armcompute.DiskStorageAccountTypes(p.size.DiskType(kind)))},
		Properties: &armcompute.DiskProperties{CreationData: &armcompute.CreationData{
			CreateOption: to.Ptr(armcompute.DiskCreateOptionCopy), SourceResourceID: new(source),
		}},
	}
	if p.cfg.Zone != "" {
		model.Zones = []*string{new(p.cfg.Zone)}
	}
	made, err := azure.Run(ctx, p.azure, "create disk", name, func(ctx context.Context) (*runtime.Poller[armcompute.DisksClientCreateOrUpdateResponse], error) {
		return p.azure.Disks().BeginCreateOrUpdate(ctx, p.cfg.ResourceGroup, name, model, nil)
	})
	if err != nil {
		return "", err
	}
	p.left.add(azure.Value(made.ID))
	return azure.Value(made.ID), nil
}

// copiedStorage attaches disks that exist.
func (p *provision) copiedStorage() *armcompute.StorageProfile {
	profile := &armcompute.StorageProfile{OSDisk: &armcompute.OSDisk{
		Name: new(p.names.OSDisk), OSType: to.Ptr(armcompute.OperatingSystemTypesLinux), CreateOption: to.Ptr(armcompute.DiskCreateOptionTypesAttach),
		Caching: to.Ptr(armcompute.CachingTypesReadWrite), DeleteOption: to.Ptr(armcompute.DiskDeleteOptionTypesDelete),
		ManagedDisk: &armcompute.ManagedDiskParameters{ID: new(p.disks[0])},
	}}
	for n, id := range p.disks[1:] {
		profile.DataDisks = append(profile.DataDisks, &armcompute.DataDisk{
			Lun: new(int32(n)), CreateOption: to.Ptr(armcompute.DiskCreateOptionTypesAttach), //nolint:gosec // Azure takes 64
			DeleteOption: to.Ptr(armcompute.DiskDeleteOptionTypesDelete), ManagedDisk: &armcompute.ManagedDiskParameters{ID: new(id)},
		})
	}
	return profile
}

// copiedSecurity is what the disks were made for.
func (c Config) copiedSecurity() *armcompute.SecurityProfile {
	profile := &armcompute.SecurityProfile{SecurityType: to.Ptr(armcompute.SecurityTypesStandard)}
	if c.Copy.TrustedLaunch {
		profile.SecurityType = to.Ptr(armcompute.SecurityTypesTrustedLaunch)
		profile.UefiSettings = &armcompute.UefiSettings{SecureBootEnabled: new(c.Copy.SecureBoot), VTpmEnabled: new(true)}
	}
	if c.EncryptionAtHost {
		profile.EncryptionAtHost = new(true)
	}
	return profile
}

// validCopy checks what contradicts itself.
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
