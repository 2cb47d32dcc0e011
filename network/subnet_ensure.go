package network

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/azure"
)

// EnsureSubnet returns the id of azlin's subnet in the region's shared network, and creates what is missing
// (virtualNetworks/createOrUpdate, subnets/createOrUpdate). With nat, the private subnet gets a NAT gateway. An existing
// network is never rewritten: that would drop what others have added.
func (s *Service) EnsureSubnet(ctx context.Context, p Place, private, nat bool) (string, error) {
	group, name := p.Group, VNetName(p.Region)
	network, public, hidden := addressSpace(p.Region)
	wanted, prefix := SubnetName, public
	if private {
		wanted, prefix = PrivateSubnetName, hidden
	}
	id := s.id(group, "virtualNetworks", name, "subnets", wanted)
	unlock, err := s.locks.Lock(ctx, azure.IDKey(s.id(group, "virtualNetworks", name))) // the first VM of a pool creates it for the others
	if err != nil {
		return "", azure.Wrap("create virtual network", name, err)
	}
	defer unlock()
	found, err := s.azure.VNets().Get(ctx, group, name, nil)
	if err != nil && !azure.IsNotFound(err) {
		return "", azure.Wrap("get virtual network", name, err)
	}
	exists := err == nil
	if exists && found.Properties != nil {
		for _, sub := range found.Properties.Subnets {
			if sub != nil && strings.EqualFold(azure.Value(sub.Name), wanted) {
				return azure.Value(sub.ID), s.openSubnet(ctx, p, sub, nat)
			}
		}
	}
	subnet := subnetOf(prefix)
	if nat {
		gateway, err := s.ensureNAT(ctx, p)
		if err != nil {
			return "", err
		}
		subnet.Properties.NatGateway = &armnetwork.SubResource{ID: &gateway}
	}
	if exists {
		azure.Report(p.Report, "adding a subnet to "+name)
		_, err := azure.Run(ctx, s.azure, "create subnet", wanted, func(ctx context.Context) (*runtime.Poller[armnetwork.SubnetsClientCreateOrUpdateResponse], error) {
			return s.azure.Subnets().BeginCreateOrUpdate(ctx, group, name, wanted, subnet, nil)
		})
		return id, err
	}
	azure.Report(p.Report, "creating virtual network "+name)
	_, err = azure.Run(ctx, s.azure, "create virtual network", name, func(ctx context.Context) (*runtime.Poller[armnetwork.VirtualNetworksClientCreateOrUpdateResponse], error) {
		return s.azure.VNets().BeginCreateOrUpdate(ctx, group, name, armnetwork.VirtualNetwork{
			Location: new(p.Region),
			Tags:     azure.SDKTags(p.Shared),
			Properties: &armnetwork.VirtualNetworkPropertiesFormat{
				AddressSpace: &armnetwork.AddressSpace{AddressPrefixes: []*string{new(network)}},
				Subnets:      []*armnetwork.Subnet{{Name: new(wanted), Properties: subnet.Properties}},
			},
		}, nil)
	})
	return id, err
}

// subnetOf sets explicitly whether it is private, because Azure's default depends on the api-version.
func subnetOf(prefix string) armnetwork.Subnet {
	return armnetwork.Subnet{Properties: &armnetwork.SubnetPropertiesFormat{
		AddressPrefix: new(prefix), DefaultOutboundAccess: new(false),
	}}
}

// openSubnet adds a NAT gateway to an existing subnet of ours if one is requested and missing. The subnet is written back as
// read, including properties unknown to this program.
func (s *Service) openSubnet(ctx context.Context, p Place, sub *armnetwork.Subnet, nat bool) error {
	if !nat || sub.Properties == nil || sub.Properties.NatGateway != nil {
		return nil
	}
	gateway, err := s.ensureNAT(ctx, p)
	if err != nil {
		return err
	}
	azure.Report(p.Report, "giving "+azure.Value(sub.Name)+" the NAT gateway")
	resp, err := s.azure.Do(ctx, http.MethodGet, azure.Value(sub.ID), networkVersion, nil)
	if err != nil {
		return err
	}
	var body map[string]any
	if err := json.Unmarshal(resp.Body, &body); err != nil {
		return azure.Wrap("get subnet", azure.Value(sub.Name), err)
	}
	properties, _ := body["properties"].(map[string]any)
	if properties == nil {
		properties = map[string]any{}
		body["properties"] = properties
	}
	properties["natGateway"] = map[string]any{"id": gateway}
	_, err = s.azure.DoOperation(ctx, http.MethodPut, azure.Value(sub.ID), networkVersion, body, nil)
	return err
}

// networkVersion is the api-version for resources that are read and written back unchanged.
const networkVersion = "2025-05-01"
