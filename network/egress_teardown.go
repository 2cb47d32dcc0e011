package network

import (
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/teardown"
)

// PlanEgress plans to delete azlin's NAT gateways of a group that no VM outside the plan uses: unlike the rest of the shared
// network, they cost money. It reads the group's NAT gateways and addresses, and the network of each gateway.
func (s *Service) PlanEgress(ctx context.Context, group string, plan *teardown.Plan) error {
	gateways, err := azure.Pages(ctx, "list NAT gateways of "+group, s.azure.NATGateways().NewListPager(group, nil),
		func(p armnetwork.NatGatewaysClientListResponse) []*armnetwork.NatGateway { return p.Value })
	if err != nil {
		return err
	}
	for _, m := range gateways {
		if strings.HasPrefix(azure.Value(m.Name), natPrefix) && azure.Managed(azure.Tags(m.Tags)) {
			if err := s.planGateway(ctx, plan, m); err != nil {
				return err
			}
		}
	}
	addresses, err := azure.Pages(ctx, "list public addresses of "+group, s.azure.PublicIPs().NewListPager(group, nil),
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
		if by := azure.PublicIPUsedBy(ip); by != "" && !plan.Has(by) {
			continue // its gateway is kept and reported
		}
		if item, ok := teardown.Of(s.azure, id); ok {
			item.Rank = teardown.RankGatewayAddress
			plan.Add(item)
		}
	}
	return nil
}

// natGateway plans to delete one gateway and its subnets, unless a subnet is in use.
func (s *Service) planGateway(ctx context.Context, plan *teardown.Plan, m *armnetwork.NatGateway) error {
	id, err := azure.ParseID(azure.Value(m.ID))
	if err != nil {
		return err
	}
	goes := []azure.ID{id}
	if m.Properties != nil {
		for _, ref := range m.Properties.Subnets {
			subnet, err := azure.ParseID(azure.Value(ref.ID))
			if err != nil {
				return err
			}
			by, err := s.subnetUsedBy(ctx, plan, subnet)
			if err != nil {
				return err
			}
			if by != "" {
				plan.Keep("nat-gateway", id, by)
				return nil
			}
			goes = append(goes, subnet)
		}
	}
	for _, id := range goes {
		if item, ok := teardown.Of(s.azure, id); ok {
			plan.Add(item)
		}
	}
	return nil
}

// subnetUsedBy returns why a subnet must be kept; empty when only planned resources are in it.
func (s *Service) subnetUsedBy(ctx context.Context, plan *teardown.Plan, id azure.ID) (string, error) {
	if !strings.EqualFold(id.Name(), PrivateSubnetName) {
		return "subnet " + id.Name() + " uses it", nil
	}
	resp, err := s.azure.Subnets().Get(ctx, id.ResourceGroup, id.Parent().Name(), id.Name(), nil)
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
		if err != nil || !plan.Has(user.Parent().String()) {
			return "shared with other VMs", nil //nolint:nilerr // what cannot be read is not ours to judge
		}
	}
	return "", nil
}
