package vm

import (
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// ensureSubnet gives the id of azlin's subnet in the region's shared network, making what is missing.
// An existing network is never PUT again: that would drop what others have added to it.
func (p *provision) ensureSubnet(ctx context.Context) (string, error) {
	group, name := p.cfg.ResourceGroup, VNetName(p.cfg.Region)
	network, public, private := addressSpace(p.cfg.Region)
	wanted, prefix := SubnetName, public
	if p.cfg.Private {
		wanted, prefix = PrivateSubnetName, private
	}
	id := p.networkID(group, "virtualNetworks", name, "subnets", wanted)
	unlock, err := p.locks.Lock(ctx, azure.IDKey(p.networkID(group, "virtualNetworks", name))) // VMs of one pool find it made by the first
	if err != nil {
		return "", azure.Wrap("create virtual network", name, err)
	}
	defer unlock()
	found, err := p.azure.VNets().Get(ctx, group, name, nil)
	if err != nil && !azure.IsNotFound(err) {
		return "", azure.Wrap("get virtual network", name, err)
	}
	exists := err == nil
	if exists && found.Properties != nil {
		for _, sub := range found.Properties.Subnets {
			if sub != nil && strings.EqualFold(azure.Value(sub.Name), wanted) {
				return azure.Value(sub.ID), p.openSubnet(ctx, sub)
			}
		}
	}
	subnet := subnetOf(prefix)
	if p.cfg.NATGateway {
		gateway, err := p.ensureNAT(ctx)
		if err != nil {
			return "", err
		}
		subnet.Properties.NatGateway = &armnetwork.SubResource{ID: &gateway}
	}
	if exists {
		azure.Report(p.report, "adding a subnet to "+name)
		_, err := azure.Run(ctx, p.azure, "create subnet", wanted, func(ctx context.Context) (*runtime.Poller[armnetwork.SubnetsClientCreateOrUpdateResponse], error) {
			return p.azure.Subnets().BeginCreateOrUpdate(ctx, group, name, wanted, subnet, nil)
		})
		return id, err
	}
	azure.Report(p.report, "creating virtual network "+name)
	_, err = azure.Run(ctx, p.azure, "create virtual network", name, func(ctx context.Context) (*runtime.Poller[armnetwork.VirtualNetworksClientCreateOrUpdateResponse], error) {
		return p.azure.VNets().BeginCreateOrUpdate(ctx, group, name, armnetwork.VirtualNetwork{
			Location: new(p.cfg.Region),
			Tags:     azure.SDKTags(p.sharedTags()),
			Properties: &armnetwork.VirtualNetworkPropertiesFormat{
				AddressSpace: &armnetwork.AddressSpace{AddressPrefixes: []*string{new(network)}},
				Subnets:      []*armnetwork.Subnet{{Name: new(wanted), Properties: subnet.Properties}},
			},
		}, nil)
	})
	return id, err
}

// subnetOf is private by its own word: Azure's default depends on the api-version.
func subnetOf(prefix string) armnetwork.Subnet {
	return armnetwork.Subnet{Properties: &armnetwork.SubnetPropertiesFormat{
		AddressPrefix: new(prefix), DefaultOutboundAccess: new(false),
	}}
}

// sharedTags leave out what belongs to one VM only.
func (p *provision) sharedTags() map[string]string {
	tags := p.cfg.tags(p.now(), stepNetwork)
	delete(tags, azure.TagSession)
	return tags
}

// ensureNSG gives the id of the VM's security group with the operator's rule in it.
func (p *provision) ensureNSG(ctx context.Context) (string, error) {
	group, name, tags := p.cfg.ResourceGroup, p.names.NSG, p.cfg.tags(p.now(), stepNetwork)
	if p.cfg.Pool != "" {
		name, tags = NamesOf(p.cfg.Pool).NSG, p.sharedTags()
	}
	access := SSHAccess{Rule: p.cfg.SSHRule, Sources: p.cfg.SSHSources, Port: p.cfg.SSHPort}
	id := p.networkID(group, "networkSecurityGroups", name)
	unlock, err := p.locks.Lock(ctx, azure.IDKey(id)) // VMs of one pool find it made by the first
	if err != nil {
		return "", azure.Wrap("create network security group", name, err)
	}
	defer unlock()
	found, err := p.azure.NSGs().Get(ctx, group, name, nil)
	nsg := &found.SecurityGroup
	switch {
	case err == nil:
		if err := p.owned("network security group", name, azure.Value(nsg.Location), azure.Tags(nsg.Tags)); err != nil {
			return "", err
		}
		p.left.add(id)
	case !azure.IsNotFound(err):
		return "", azure.Wrap("get network security group", name, err)
	default:
		azure.Report(p.report, "creating network security group "+name)
		p.left.add(id)
		made, err := azure.Run(ctx, p.azure, "create network security group", name, func(ctx context.Context) (*runtime.Poller[armnetwork.SecurityGroupsClientCreateOrUpdateResponse], error) {
			return p.azure.NSGs().BeginCreateOrUpdate(ctx, group, name, armnetwork.SecurityGroup{
				Location: new(p.cfg.Region), Tags: azure.SDKTags(tags),
				// In the same request: one less to wait for. A group that exists is never written anew, only its rules.
				Properties: &armnetwork.SecurityGroupPropertiesFormat{SecurityRules: access.firstRules()},
			}, nil)
		})
		if err != nil {
			return "", err
		}
		nsg = &made.SecurityGroup
	}
	if len(p.cfg.SSHSources) == 0 {
		return id, nil
	}
	return id, p.allow(ctx, group, nsg, access)
}

// ensureIP gives the VM's public address, made when it is missing.
func (p *provision) ensureIP(ctx context.Context) (*armnetwork.PublicIPAddress, error) {
	group, name := p.cfg.ResourceGroup, p.names.PublicIP
	id := p.networkID(group, "publicIPAddresses", name)
	found, err := p.azure.PublicIPs().Get(ctx, group, name, nil)
	switch {
	case err == nil:
		ip := &found.PublicIPAddress
		if err := p.owned("public address", name, azure.Value(ip.Location), azure.Tags(ip.Tags)); err != nil {
			return nil, err
		}
		by := azure.PublicIPUsedBy(ip)
		if by != "" && !strings.HasPrefix(azure.IDKey(by), azure.IDKey(p.networkID(group, "networkInterfaces", p.names.NIC))+"/") {
			return nil, &errkind.Error{
				Kind: errkind.Conflict, Op: "use public address", Resource: name, Err: errkind.New(errkind.Conflict, "%s uses it", by),
			}
		}
		p.left.add(id)
		return ip, nil
	case !azure.IsNotFound(err):
		return nil, azure.Wrap("get public address", name, err)
	}
	p.left.add(id)
	return p.createIP(ctx, name, p.cfg.tags(p.now(), stepNetwork))
}

// createIP makes a Standard static address.
func (p *provision) createIP(ctx context.Context, name string, tags map[string]string) (*armnetwork.PublicIPAddress, error) {
	azure.Report(p.report, "creating public address "+name)
	made, err := azure.Run(ctx, p.azure, "create public address", name, func(ctx context.Context) (*runtime.Poller[armnetwork.PublicIPAddressesClientCreateOrUpdateResponse], error) {
		return p.azure.PublicIPs().BeginCreateOrUpdate(ctx, p.cfg.ResourceGroup, name, armnetwork.PublicIPAddress{
			Location: new(p.cfg.Region),
			Tags:     azure.SDKTags(tags),
			SKU: &armnetwork.PublicIPAddressSKU{
				Name: to.Ptr(armnetwork.PublicIPAddressSKUNameStandard), Tier: to.Ptr(armnetwork.PublicIPAddressSKUTierRegional),
			},
			Properties: &armnetwork.PublicIPAddressPropertiesFormat{
				PublicIPAllocationMethod: to.Ptr(armnetwork.IPAllocationMethodStatic),
				PublicIPAddressVersion:   to.Ptr(armnetwork.IPVersionIPv4),
				DeleteOption:             to.Ptr(armnetwork.DeleteOptionsDelete),
			},
		}, nil)
	})
	return &made.PublicIPAddress, err
}

// ensureNIC gives the VM's network interface, made when it is missing.
func (p *provision) ensureNIC(ctx context.Context, subnet, nsg string, ip *armnetwork.PublicIPAddress) (*armnetwork.Interface, error) {
	group, name := p.cfg.ResourceGroup, p.names.NIC
	id := p.networkID(group, "networkInterfaces", name)
	nic, err := p.getNIC(ctx, id)
	if err != nil {
		return nil, err
	}
	if nic != nil {
		if err := p.owned("network interface", name, azure.Value(nic.Location), azure.Tags(nic.Tags)); err != nil {
			return nil, err
		}
		if by := azure.NICUsedBy(nic); by != "" && !azure.SameID(by, p.vmID(group, p.cfg.Name)) {
			return nil, &errkind.Error{
				Kind: errkind.Conflict, Op: "use network interface", Resource: name, Err: errkind.New(errkind.Conflict, "%s uses it", by),
			}
		}
		p.left.add(id)
		return nic, nil
	}
	azure.Report(p.report, "creating network interface "+name)
	p.left.add(id)
	cfg := &armnetwork.InterfaceIPConfigurationPropertiesFormat{
		Primary: new(true), Subnet: &armnetwork.Subnet{ID: new(subnet)},
		PrivateIPAllocationMethod: to.Ptr(armnetwork.IPAllocationMethodDynamic),
	}
	if ip != nil {
		cfg.PublicIPAddress = &armnetwork.PublicIPAddress{ID: ip.ID}
	}
	props := &armnetwork.InterfacePropertiesFormat{
		IPConfigurations:     []*armnetwork.InterfaceIPConfiguration{{Name: new("ipconfig1"), Properties: cfg}},
		NetworkSecurityGroup: &armnetwork.SecurityGroup{ID: new(nsg)},
	}
	if p.size.AcceleratedNetworking {
		props.EnableAcceleratedNetworking = new(true)
	}
	made, err := azure.Run(ctx, p.azure, "create network interface", name, func(ctx context.Context) (*runtime.Poller[armnetwork.InterfacesClientCreateOrUpdateResponse], error) {
		return p.azure.NICs().BeginCreateOrUpdate(ctx, group, name, armnetwork.Interface{
			Location: new(p.cfg.Region), Tags: azure.SDKTags(p.cfg.tags(p.now(), stepNetwork)), Properties: props,
		}, nil)
	})
	return &made.Interface, err
}
