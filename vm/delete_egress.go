package vm

import (
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/azure"
)

// egress plans azlin's NAT gateways of a group that no VM outside the plan is behind: unlike the rest of the shared
// network they cost money. It asks for the group's NAT gateways and addresses, and for the network of each gateway.
func (d *deletion) egress(ctx context.Context, group string) error {
	gateways, err := azure.Pages(ctx, "list NAT gateways of "+group, d.azure.NATGateways().NewListPager(group, nil),
		func(p armnetwork.NatGatewaysClientListResponse) []*armnetwork.NatGateway { return p.Value })
	if err != nil {
		return err
	}
	for _, m := range gateways {
		if strings.HasPrefix(azure.Value(m.Name), natPrefix) && azure.Managed(azure.Tags(m.Tags)) {
			if err := d.natGateway(ctx, m); err != nil {
				return err
			}
		}
	}
	addresses, err := azure.Pages(ctx, "list public addresses of "+group, d.azure.PublicIPs().NewListPager(group, nil),
		func(p armnetwork.PublicIPAddressesClientListResponse) []*armnetwork.PublicIPAddress { return p.Value })
	if err != nil {
		return err
	}
	for _, ip := range addresses {
		if !strings.HasPrefix(azure.Value(ip.Name), natPrefix) || !azure.Managed(azure.Tags(ip.Tags)) {
			continue
		}
		id, err := azure.ParseID(azure.Value(ip.ID))
		if err != nil {
			return err
		}
		if by := azure.PublicIPUsedBy(ip); by != "" && !d.planned(by) {
			continue // its gateway is kept, and said to be
		}
		d.add(d.plannedAddress(id, rankAddress))
	}
	return nil
}

// natGateway plans one gateway and the subnets that it serves, unless somebody is in one of them.
func (d *deletion) natGateway(ctx context.Context, m *armnetwork.NatGateway) error {
	id, err := azure.ParseID(azure.Value(m.ID))
	if err != nil {
		return err
	}
	var items []planned
	if m.Properties != nil {
		for _, ref := range m.Properties.Subnets {
			subnet, err := azure.ParseID(azure.Value(ref.ID))
			if err != nil {
				return err
			}
			by, err := d.subnetUsedBy(ctx, subnet)
			if err != nil {
				return err
			}
			if by != "" {
				d.keep("nat-gateway", id, by)
				return nil
			}
			items = append(items, d.subnet(subnet))
		}
	}
	for _, item := range append(items, planned{
		kind: "nat-gateway", id: id, rank: rankGateway,
		delete: func(ctx context.Context) error {
			_, err := azure.Run(ctx, d.azure, "delete NAT gateway", id.Name(), func(ctx context.Context) (*runtime.Poller[armnetwork.NatGatewaysClientDeleteResponse], error) {
				return d.azure.NATGateways().BeginDelete(ctx, id.ResourceGroup, id.Name(), nil)
			})
			return err
		},
		exists: func(ctx context.Context) (bool, error) {
			_, err := d.azure.NATGateways().Get(ctx, id.ResourceGroup, id.Name(), nil)
			return present(err)
		},
	}) {
		d.add(item)
	}
	return nil
}

// subnetUsedBy says why a subnet has to stay; empty when nothing but what is planned is in it.
func (d *deletion) subnetUsedBy(ctx context.Context, id azure.ID) (string, error) {
	if !strings.EqualFold(id.Name(), PrivateSubnetName) {
		return "subnet " + id.Name() + " uses it", nil
	}
	resp, err := d.azure.Subnets().Get(ctx, id.ResourceGroup, id.Parent().Name(), id.Name(), nil)
	if azure.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", azure.Wrap("get subnet", id.Name(), err)
	}
	if resp.Properties == nil {
		return "", nil
	}
	for _, cfg := range resp.Properties.IPConfigurations {
		user, err := azure.ParseID(azure.Value(cfg.ID))
		if err != nil || !d.planned(user.Parent().String()) {
			return "shared with other VMs", nil //nolint:nilerr // what cannot be read is not ours to judge
		}
	}
	return "", nil
}

// subnet plans a subnet of the shared network.
func (d *deletion) subnet(id azure.ID) planned {
	return planned{
		kind: "subnet", id: id, rank: rankSubnet,
		delete: func(ctx context.Context) error {
			_, err := azure.Run(ctx, d.azure, "delete subnet", id.Name(), func(ctx context.Context) (*runtime.Poller[armnetwork.SubnetsClientDeleteResponse], error) {
				return d.azure.Subnets().BeginDelete(ctx, id.ResourceGroup, id.Parent().Name(), id.Name(), nil)
			})
			return err
		},
		exists: func(ctx context.Context) (bool, error) {
			_, err := d.azure.Subnets().Get(ctx, id.ResourceGroup, id.Parent().Name(), id.Name(), nil)
			return present(err)
		},
	}
}
