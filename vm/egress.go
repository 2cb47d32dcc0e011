package vm

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// Subnet is what matters of a subnet to a VM that is to be in it.
type Subnet struct {
	ID         string
	VNet       string // id
	Region     string
	NATGateway string // id; empty: none
	RouteTable string // id; empty: none
	// DefaultOutbound: Azure lends its VMs a way out. False also when Azure does not say.
	DefaultOutbound bool
}

// HasEgress reports whether a VM without a public address can reach the Internet from the subnet, as far as can be
// seen: through a NAT gateway, Azure's default way out, or a route table, which may lead to a firewall.
func (s Subnet) HasEgress() bool {
	return s.NATGateway != "" || s.RouteTable != "" || s.DefaultOutbound
}

// Subnet reads an existing subnet and the region of its network (virtualNetworks/get). An absent one is NotFound.
func (s *Service) Subnet(ctx context.Context, subnetID string) (Subnet, error) {
	id, err := azure.ParseID(subnetID)
	if err != nil || !id.IsType("Microsoft.Network/virtualNetworks/subnets") {
		return Subnet{}, errkind.New(errkind.Invalid, "%q is not the id of a subnet", subnetID)
	}
	subnets, err := s.subnetsOf(ctx, id.Parent())
	if err != nil {
		return Subnet{}, err
	}
	for _, sub := range subnets {
		if azure.SameID(sub.ID, subnetID) {
			return sub, nil
		}
	}
	return Subnet{}, &errkind.Error{
		Kind: errkind.NotFound, Op: "get subnet", Resource: id.Name(),
		Err: errkind.New(errkind.NotFound, "virtual network %s has no subnet of that name", id.Parent().Name()),
	}
}

// Subnets lists the subnets of a network (virtualNetworks/get). An absent network is NotFound.
func (s *Service) Subnets(ctx context.Context, vnetID string) ([]Subnet, error) {
	id, err := azure.ParseID(vnetID)
	if err != nil || !id.IsType("Microsoft.Network/virtualNetworks") {
		return nil, errkind.New(errkind.Invalid, "%q is not the id of a virtual network", vnetID)
	}
	return s.subnetsOf(ctx, id)
}

func (s *Service) subnetsOf(ctx context.Context, vnet azure.ID) ([]Subnet, error) {
	found, err := s.azure.VNets().Get(ctx, vnet.ResourceGroup, vnet.Name(), nil)
	if err != nil {
		return nil, azure.Wrap("get virtual network", vnet.Name(), err)
	}
	if found.Properties == nil {
		return nil, nil
	}
	var all []Subnet
	for _, m := range found.Properties.Subnets {
		if m == nil || m.Properties == nil {
			continue
		}
		sub := Subnet{ID: azure.Value(m.ID), VNet: azure.Value(found.ID), Region: azure.Value(found.Location), DefaultOutbound: azure.Value(m.Properties.DefaultOutboundAccess)}
		if m.Properties.NatGateway != nil {
			sub.NATGateway = azure.Value(m.Properties.NatGateway.ID)
		}
		if m.Properties.RouteTable != nil {
			sub.RouteTable = azure.Value(m.Properties.RouteTable.ID)
		}
		all = append(all, sub)
	}
	return all, nil
}

// VNetID is the id of a virtual network of this subscription.
func (s *Service) VNetID(group, name string) string {
	return s.networkID(group, "virtualNetworks", name)
}

// SharedSubnetID is the id of the subnet that a VM goes to when it names none, whether it exists yet or not.
func (s *Service) SharedSubnetID(group, region string, private bool) string {
	name := SubnetName
	if private {
		name = PrivateSubnetName
	}
	return s.networkID(group, "virtualNetworks", VNetName(region), "subnets", name)
}

// ensureNAT gives the id of the region's NAT gateway, made with its address when it is missing.
func (p *provision) ensureNAT(ctx context.Context) (string, error) {
	group, name, address := p.cfg.ResourceGroup, NATName(p.cfg.Region), natAddressName(p.cfg.Region)
	found, err := p.azure.NATGateways().Get(ctx, group, name, nil)
	switch {
	case err == nil:
		return azure.Value(found.ID), p.owned("NAT gateway", name, azure.Value(found.Location), azure.Tags(found.Tags))
	case !azure.IsNotFound(err):
		return "", azure.Wrap("get NAT gateway", name, err)
	}
	ip, err := p.azure.PublicIPs().Get(ctx, group, address, nil)
	switch {
	case err == nil:
		if err := p.owned("public address", address, azure.Value(ip.Location), azure.Tags(ip.Tags)); err != nil {
			return "", err
		}
	case azure.IsNotFound(err):
		if _, err := p.createIP(ctx, address, p.sharedTags()); err != nil {
			return "", err
		}
	default:
		return "", azure.Wrap("get public address", address, err)
	}
	azure.Report(p.report, "creating NAT gateway "+name)
	_, err = azure.Run(ctx, p.azure, "create NAT gateway", name, func(ctx context.Context) (*runtime.Poller[armnetwork.NatGatewaysClientCreateOrUpdateResponse], error) {
		return p.azure.NATGateways().BeginCreateOrUpdate(ctx, group, name, armnetwork.NatGateway{
			Location: new(p.cfg.Region), Tags: azure.SDKTags(p.sharedTags()),
			SKU: &armnetwork.NatGatewaySKU{Name: to.Ptr(armnetwork.NatGatewaySKUNameStandard)},
			Properties: &armnetwork.NatGatewayPropertiesFormat{
				PublicIPAddresses: []*armnetwork.SubResource{{ID: new(p.networkID(group, "publicIPAddresses", address))}},
			},
		}, nil)
	})
	return p.networkID(group, "natGateways", name), err
}

// openSubnet gives an existing subnet of ours a NAT gateway, when one is wanted and it has none. The subnet is written
// back as it was read, with what this program does not know of it.
func (p *provision) openSubnet(ctx context.Context, sub *armnetwork.Subnet) error {
	if !p.cfg.NATGateway || sub.Properties == nil || sub.Properties.NatGateway != nil {
		return nil
	}
	gateway, err := p.ensureNAT(ctx)
	if err != nil {
		return err
	}
	azure.Report(p.report, "giving "+azure.Value(sub.Name)+" the NAT gateway")
	resp, err := p.azure.Do(ctx, http.MethodGet, azure.Value(sub.ID), networkVersion, nil)
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
	_, err = p.azure.DoOperation(ctx, http.MethodPut, azure.Value(sub.ID), networkVersion, body, nil)
	return err
}

// networkVersion is the api-version of what is read and written back as it is.
const networkVersion = "2025-05-01"

// EnsureNetwork makes the network that azlin's VMs of a region share, in its group, as far as they are missing, and
// returns the network's id.
func (s *Service) EnsureNetwork(ctx context.Context, group, region, owner string, report func(step string)) (string, error) {
	cfg := Config{ResourceGroup: group, Region: region, Owner: owner}.withDefaults()
	p := &provision{Service: s, cfg: cfg, report: report}
	exists, err := p.groups.Exists(ctx, group)
	if err == nil && !exists {
		err = p.createGroup(ctx)
	}
	if err == nil {
		_, err = p.ensureSubnet(ctx)
	}
	return s.VNetID(group, VNetName(region)), err
}
