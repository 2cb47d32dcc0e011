package provision

import (
	"context"
	"maps"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm"
)

// Model reads a VM's configuration, to create another one like it: its place, size, image, disks, login user, identity, tags
// (without azlin's own) and whether it is private. It leaves out name, keys, network, and what ran at the first boot. An
// absent VM is NotFound.
func (s *Service) Model(ctx context.Context, ref vm.Ref) (Config, error) {
	ref, err := ref.In(s.azure.Target())
	if err != nil {
		return Config{}, errkind.Classed(vm.ErrManager, err)
	}
	resp, err := s.azure.VMs().Get(ctx, ref.ResourceGroup, ref.Name, nil)
	if err != nil {
		return Config{}, errkind.Classed(vm.ErrManager, azure.Wrap("get vm", ref.Name, err))
	}
	i := vm.FromModel(&resp.VirtualMachine)
	if err := s.vms.ReadAddresses(ctx, &i); err != nil {
		return Config{}, errkind.Classed(vm.ErrManager, err)
	}
	c := Config{
		ResourceGroup: i.ResourceGroup, Region: i.Location, Size: i.VMSize, AdminUsername: i.AdminUsername, Spot: i.Spot,
		Private: i.PublicIP == "", Tags: maps.Clone(i.Tags), Identity: i.Identity,
	}
	maps.DeleteFunc(c.Tags, func(name, _ string) bool { return azure.OwnTag(name) })
	if len(i.Zones) > 0 {
		c.Zone = i.Zones[0]
	}
	if resp.Properties == nil || resp.Properties.StorageProfile == nil {
		return c, nil
	}
	storage := resp.Properties.StorageProfile
	c.Image = imageIn(storage.ImageReference)
	if d := storage.OSDisk; d != nil {
		c.OSDiskSizeGB = int(azure.Value(d.DiskSizeGB))
		c.OSDiskType = diskTypeIn(d.ManagedDisk)
	}
	for _, d := range storage.DataDisks {
		if d != nil && d.DiskSizeGB != nil { // it may be missing for a deallocated VM
			c.DataDisks = append(c.DataDisks, DataDisk{SizeGB: int(*d.DiskSizeGB), Type: diskTypeIn(d.ManagedDisk)})
		}
	}
	return c, nil
}

// imageIn is the image's name in Config; empty for azlin's default, which matches any size.
func imageIn(r *armcompute.ImageReference) string {
	switch {
	case r == nil:
		return ""
	case azure.Value(r.ID) != "":
		return *r.ID
	case strings.EqualFold(azure.Value(r.Publisher), "Canonical") && strings.EqualFold(azure.Value(r.Offer), "ubuntu-24_04-lts") && azure.Value(r.Version) == "latest":
		switch strings.ToLower(azure.Value(r.SKU)) {
		case "server", "server-arm64", "server-gen1":
			return ""
		}
	}
	return strings.Join([]string{azure.Value(r.Publisher), azure.Value(r.Offer), azure.Value(r.SKU), azure.Value(r.Version)}, ":")
}

func diskTypeIn(d *armcompute.ManagedDiskParameters) string {
	if d == nil || d.StorageAccountType == nil {
		return ""
	}
	return string(*d.StorageAccountType)
}
