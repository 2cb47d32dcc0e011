package teardown

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/azure"
)

// Of returns the item of a resource, for the types that azlin creates for VMs, networks, Bastions and images; ok reports
// whether it is one.
func Of(c *azure.Client, id azure.ID) (item Item, ok bool) {
	group, name := id.ResourceGroup, id.Name()
	switch {
	case id.IsType("Microsoft.Compute/virtualMachines"):
		item = of(c, id, "vm", "vm", RankVM, func(ctx context.Context) (*runtime.Poller[armcompute.VirtualMachinesClientDeleteResponse], error) {
			return c.VMs().BeginDelete(ctx, group, name, nil)
		}, func(ctx context.Context) error { _, err := c.VMs().Get(ctx, group, name, nil); return err })
		item.Blocks = true // deleting anything attached to it would be refused
	case id.IsType("Microsoft.Network/networkInterfaces"):
		item = of(c, id, "nic", "network interface", RankNIC, func(ctx context.Context) (*runtime.Poller[armnetwork.InterfacesClientDeleteResponse], error) {
			return c.NICs().BeginDelete(ctx, group, name, nil)
		}, func(ctx context.Context) error { _, err := c.NICs().Get(ctx, group, name, nil); return err })
	case id.IsType("Microsoft.Network/publicIPAddresses"):
		item = of(c, id, "public-ip", "public address", RankLeaf, func(ctx context.Context) (*runtime.Poller[armnetwork.PublicIPAddressesClientDeleteResponse], error) {
			return c.PublicIPs().BeginDelete(ctx, group, name, nil)
		}, func(ctx context.Context) error { _, err := c.PublicIPs().Get(ctx, group, name, nil); return err })
	case id.IsType("Microsoft.Network/networkSecurityGroups"):
		item = of(c, id, "nsg", "network security group", RankLeaf, func(ctx context.Context) (*runtime.Poller[armnetwork.SecurityGroupsClientDeleteResponse], error) {
			return c.NSGs().BeginDelete(ctx, group, name, nil)
		}, func(ctx context.Context) error { _, err := c.NSGs().Get(ctx, group, name, nil); return err })
	case id.IsType("Microsoft.Network/virtualNetworks/subnets"):
		item = of(c, id, "subnet", "subnet", RankSubnet, func(ctx context.Context) (*runtime.Poller[armnetwork.SubnetsClientDeleteResponse], error) {
			return c.Subnets().BeginDelete(ctx, group, id.Parent().Name(), name, nil)
		}, func(ctx context.Context) error {
			_, err := c.Subnets().Get(ctx, group, id.Parent().Name(), name, nil)
			return err
		})
	case id.IsType("Microsoft.Network/natGateways"):
		item = of(c, id, "nat-gateway", "NAT gateway", RankGateway, func(ctx context.Context) (*runtime.Poller[armnetwork.NatGatewaysClientDeleteResponse], error) {
			return c.NATGateways().BeginDelete(ctx, group, name, nil)
		}, func(ctx context.Context) error { _, err := c.NATGateways().Get(ctx, group, name, nil); return err })
	case id.IsType("Microsoft.Network/bastionHosts"):
		item = of(c, id, "bastion", "bastion", RankVM, func(ctx context.Context) (*runtime.Poller[armnetwork.BastionHostsClientDeleteResponse], error) {
			return c.Bastions().BeginDelete(ctx, group, name, nil)
		}, func(ctx context.Context) error { _, err := c.Bastions().Get(ctx, group, name, nil); return err })
		item.Blocks = true
	case id.IsType("Microsoft.Compute/disks"):
		item = of(c, id, "disk", "disk", RankLeaf, func(ctx context.Context) (*runtime.Poller[armcompute.DisksClientDeleteResponse], error) {
			return c.Disks().BeginDelete(ctx, group, name, nil)
		}, func(ctx context.Context) error { _, err := c.Disks().Get(ctx, group, name, nil); return err })
	case id.IsType("Microsoft.Compute/snapshots"):
		item = of(c, id, "snapshot", "snapshot", RankLeaf, func(ctx context.Context) (*runtime.Poller[armcompute.SnapshotsClientDeleteResponse], error) {
			return c.Snapshots().BeginDelete(ctx, group, name, nil)
		}, func(ctx context.Context) error { _, err := c.Snapshots().Get(ctx, group, name, nil); return err })
	case id.IsType("Microsoft.Compute/galleries/images/versions"):
		item = of(c, id, "image", "image", 0, func(ctx context.Context) (*runtime.Poller[armcompute.GalleryImageVersionsClientDeleteResponse], error) {
			return c.GalleryVersions().BeginDelete(ctx, group, id.Names[0], id.Names[1], name, nil)
		}, func(ctx context.Context) error {
			_, err := c.GalleryVersions().Get(ctx, group, id.Names[0], id.Names[1], name, nil)
			return err
		})
		item.Blocks, item.Name = true, id.Names[1]+":"+name
	case id.IsType("Microsoft.Compute/galleries/images"):
		item = of(c, id, "image name", "image", 1, func(ctx context.Context) (*runtime.Poller[armcompute.GalleryImagesClientDeleteResponse], error) {
			return c.GalleryImages().BeginDelete(ctx, group, id.Names[0], name, nil)
		}, func(ctx context.Context) error {
			_, err := c.GalleryImages().Get(ctx, group, id.Names[0], name, nil)
			return err
		})
		item.Blocks = true
	case id.IsType("Microsoft.Compute/galleries"):
		item = of(c, id, "gallery", "gallery", 2, func(ctx context.Context) (*runtime.Poller[armcompute.GalleriesClientDeleteResponse], error) {
			return c.Galleries().BeginDelete(ctx, group, name, nil)
		}, func(ctx context.Context) error { _, err := c.Galleries().Get(ctx, group, name, nil); return err })
	default:
		return Item{}, false
	}
	return item, true
}

func of[T any](c *azure.Client, id azure.ID, kind, called string, rank int, begin func(context.Context) (*runtime.Poller[T], error), get func(context.Context) error) Item {
	return Item{
		Kind: kind, ID: id, Rank: rank,
		Delete: func(ctx context.Context) error {
			_, err := azure.Run(ctx, c, "delete "+called, id.Name(), begin)
			return err
		},
		Exists: func(ctx context.Context) (bool, error) {
			err := get(ctx)
			if azure.IsNotFound(err) {
				return false, nil
			}
			return err == nil, azure.Wrap("get "+called, id.Name(), err)
		},
	}
}
