package emulator_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"

	"github.com/azlin-dev/azlin/emulator"
)

// bastionLab has the clients for Bastions and what they stand on.
type bastionLab struct {
	*lab
	bastions *armnetwork.BastionHostsClient
	subnets  *armnetwork.SubnetsClient
	nats     *armnetwork.NatGatewaysClient
}

func newBastionLab(t *testing.T, o emulator.Options) bastionLab {
	t.Helper()
	l := bastionLab{lab: newLab(t, o)}
	sub := l.e.Identity().SubscriptionID
	l.bastions = must(armnetwork.NewBastionHostsClient(sub, l.cred, l.opt))
	l.subnets = must(armnetwork.NewSubnetsClient(sub, l.cred, l.opt))
	l.nats = must(armnetwork.NewNatGatewaysClient(sub, l.cred, l.opt))
	must(l.groups.CreateOrUpdate(t.Context(), group, armresources.ResourceGroup{Location: new(region)}, nil))
	return l
}

// bastionNet makes a network with one subnet and returns the subnet's id.
func (l bastionLab) bastionNet(name, net, subnet, prefix string) string {
	l.Helper()
	v := finish[armnetwork.VirtualNetworksClientCreateOrUpdateResponse](l.lab)(l.vnets.BeginCreateOrUpdate(l.Context(), group, name, armnetwork.VirtualNetwork{
		Location: new(region), Properties: &armnetwork.VirtualNetworkPropertiesFormat{
			AddressSpace: &armnetwork.AddressSpace{AddressPrefixes: []*string{&net}},
			Subnets:      []*armnetwork.Subnet{{Name: &subnet, Properties: &armnetwork.SubnetPropertiesFormat{AddressPrefix: &prefix}}},
		},
	}, nil))
	return *v.Properties.Subnets[0].ID
}

func (l bastionLab) address(name string, sku armnetwork.PublicIPAddressSKUName, method armnetwork.IPAllocationMethod) string {
	l.Helper()
	return *finish[armnetwork.PublicIPAddressesClientCreateOrUpdateResponse](l.lab)(l.ips.BeginCreateOrUpdate(l.Context(), group, name, armnetwork.PublicIPAddress{
		Location: new(region), SKU: &armnetwork.PublicIPAddressSKU{Name: &sku}, Properties: &armnetwork.PublicIPAddressPropertiesFormat{PublicIPAllocationMethod: &method},
	}, nil)).ID
}

// bastionBody is a Bastion of a SKU; change may spoil it.
func bastionBody(sku armnetwork.BastionHostSKUName, subnet, address string, change func(*armnetwork.BastionHostPropertiesFormat)) armnetwork.BastionHost {
	props := &armnetwork.BastionHostPropertiesFormat{IPConfigurations: []*armnetwork.BastionHostIPConfiguration{{
		Name: new("c"), Properties: &armnetwork.BastionHostIPConfigurationPropertiesFormat{
			Subnet: &armnetwork.SubResource{ID: &subnet}, PublicIPAddress: &armnetwork.SubResource{ID: &address},
		},
	}}}
	if change != nil {
		change(props)
	}
	return armnetwork.BastionHost{Location: new(region), SKU: &armnetwork.SKU{Name: &sku}, Properties: props}
}

const (
	basic     = armnetwork.BastionHostSKUNameBasic
	standard  = armnetwork.BastionHostSKUNameStandard
	developer = armnetwork.BastionHostSKUNameDeveloper
)

// TestBastionLife takes a Bastion through its life at Azure's pace.
func TestBastionLife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newBastionLab(t, emulator.Options{Realistic: true})
		ctx := t.Context()
		subnet := l.bastionNet("net", "10.0.0.0/16", "AzureBastionSubnet", "10.0.1.0/26")
		ip := l.address("ip", armnetwork.PublicIPAddressSKUNameStandard, armnetwork.IPAllocationMethodStatic)
		began := time.Now()
		pl, err := l.bastions.BeginCreateOrUpdate(ctx, group, "hub", bastionBody(standard, subnet, ip, func(p *armnetwork.BastionHostPropertiesFormat) { p.EnableTunneling = new(true) }), nil)
		if err != nil {
			t.Fatal(err)
		}
		made := must(l.bastions.Get(ctx, group, "hub", nil))
		if *made.Properties.ProvisioningState != armnetwork.ProvisioningStateUpdating {
			t.Errorf("while it is made: %s", *made.Properties.ProvisioningState)
		}
		b := finish[armnetwork.BastionHostsClientCreateOrUpdateResponse](l.lab)(pl, nil).BastionHost
		if took := time.Since(began); took < 6*time.Minute || took > 10*time.Minute {
			t.Errorf("creation took %s", took)
		}
		p := b.Properties
		if *p.ProvisioningState != armnetwork.ProvisioningStateSucceeded || *p.DNSName == "" || *b.Etag == "" || *b.Type != "Microsoft.Network/bastionHosts" ||
			*p.ScaleUnits != 2 || !*p.EnableTunneling || *p.EnableIPConnect || *p.IPConfigurations[0].ID != *b.ID+"/bastionHostIpConfigurations/c" ||
			*p.IPConfigurations[0].Properties.PrivateIPAllocationMethod != armnetwork.IPAllocationMethodDynamic {
			t.Errorf("made %+v", p)
		}
		if used := must(l.ips.Get(ctx, group, "ip", nil)); *used.Properties.IPConfiguration.ID != *p.IPConfigurations[0].ID {
			t.Errorf("its address belongs to %s", *used.Properties.IPConfiguration.ID)
		}
		tagged := finish[armnetwork.BastionHostsClientUpdateTagsResponse](l.lab)(l.bastions.BeginUpdateTags(ctx, group, "hub", armnetwork.TagsObject{Tags: map[string]*string{"a": new("b")}}, nil))
		if *tagged.Tags["a"] != "b" || *tagged.Etag == *b.Etag {
			t.Errorf("tagged: %v", tagged.Tags)
		}
		all, err := l.bastions.NewListPager(nil).NextPage(ctx)
		if err != nil || len(all.Value) != 1 {
			t.Errorf("list: %v, %v", all.Value, err)
		}
		in, err := l.bastions.NewListByResourceGroupPager(group, nil).NextPage(ctx)
		if err != nil || len(in.Value) != 1 {
			t.Errorf("list of the group: %v, %v", in.Value, err)
		}
		refused(t, "its address", "PublicIPAddressCannotBeDeleted", func() error { _, err := l.ips.BeginDelete(ctx, group, "ip", nil); return err })
		refused(t, "its subnet", "InUseSubnetCannotBeDeleted", func() error {
			_, err := l.subnets.BeginDelete(ctx, group, "net", "AzureBastionSubnet", nil)
			return err
		})
		refused(t, "its network", "InUseSubnetCannotBeDeleted", func() error { _, err := l.vnets.BeginDelete(ctx, group, "net", nil); return err })
		refused(t, "a lesser SKU", "BastionHostSkuDowngradeNotSupported", func() error {
			_, err := l.bastions.BeginCreateOrUpdate(ctx, group, "hub", bastionBody(basic, subnet, ip, nil), nil)
			return err
		})
		finish[armnetwork.BastionHostsClientDeleteResponse](l.lab)(l.bastions.BeginDelete(ctx, group, "hub", nil))
		refused(t, "a deleted Bastion", "ResourceNotFound", func() error { _, err := l.bastions.Get(ctx, group, "hub", nil); return err })
		finish[armnetwork.PublicIPAddressesClientDeleteResponse](l.lab)(l.ips.BeginDelete(ctx, group, "ip", nil))
		finish[armnetwork.VirtualNetworksClientDeleteResponse](l.lab)(l.vnets.BeginDelete(ctx, group, "net", nil))
	})
}

func TestBastionRefusals(t *testing.T) {
	t.Parallel()
	l := newBastionLab(t, emulator.Options{})
	subnet := l.bastionNet("net", "10.0.0.0/16", "AzureBastionSubnet", "10.0.1.0/26")
	small := l.bastionNet("small", "10.1.0.0/16", "AzureBastionSubnet", "10.1.1.0/27")
	other := l.bastionNet("other", "10.2.0.0/16", "bastion", "10.2.1.0/26")
	taken := l.bastionNet("taken", "10.3.0.0/16", "AzureBastionSubnet", "10.3.1.0/26")
	ip := l.address("ip", armnetwork.PublicIPAddressSKUNameStandard, armnetwork.IPAllocationMethodStatic)
	old := l.address("old", armnetwork.PublicIPAddressSKUNameBasic, armnetwork.IPAllocationMethodStatic)
	used := l.address("used", armnetwork.PublicIPAddressSKUNameStandard, armnetwork.IPAllocationMethodStatic)
	finish[armnetwork.BastionHostsClientCreateOrUpdateResponse](l.lab)(l.bastions.BeginCreateOrUpdate(t.Context(), group, "there", bastionBody(basic, taken, used, nil), nil))
	vnet := func(p *armnetwork.BastionHostPropertiesFormat) {
		p.IPConfigurations, p.VirtualNetwork = nil, &armnetwork.SubResource{ID: new(subnet[:len(subnet)-len("/subnets/AzureBastionSubnet")])}
	}
	for name, test := range map[string]struct {
		body armnetwork.BastionHost
		code string
	}{
		"another subnet":           {bastionBody(standard, other, ip, nil), "SubnetNameMustBeAzureBastionSubnet"},
		"a small subnet":           {bastionBody(standard, small, ip, nil), "BastionHostSubnetSizeTooSmall"},
		"no such subnet":           {bastionBody(standard, subnet+"x", ip, nil), "InvalidResourceReference"},
		"no such address":          {bastionBody(standard, subnet, ip+"x", nil), "InvalidResourceReference"},
		"a Basic address":          {bastionBody(standard, subnet, old, nil), "BastionHostPublicIpMustBeStandardSku"},
		"somebody else's address":  {bastionBody(standard, subnet, used, nil), "PublicIPAddressInUse"},
		"a network that has one":   {bastionBody(standard, taken, ip, nil), "VnetAlreadyHasBastionHost"},
		"no such SKU":              {bastionBody("Gold", subnet, ip, nil), "InvalidRequestFormat"},
		"no configuration":         {bastionBody(standard, subnet, ip, func(p *armnetwork.BastionHostPropertiesFormat) { p.IPConfigurations = nil }), "BastionHostMustHaveMaximumOneHostIpConfiguration"},
		"tunnels of Basic":         {bastionBody(basic, subnet, ip, func(p *armnetwork.BastionHostPropertiesFormat) { p.EnableTunneling = new(true) }), "BastionHostFeatureNotSupportedForSku"},
		"IP-connect of Basic":      {bastionBody(basic, subnet, ip, func(p *armnetwork.BastionHostPropertiesFormat) { p.EnableIPConnect = new(true) }), "BastionHostFeatureNotSupportedForSku"},
		"scale of Basic":           {bastionBody(basic, subnet, ip, func(p *armnetwork.BastionHostPropertiesFormat) { p.ScaleUnits = new(int32(4)) }), "BastionHostFeatureNotSupportedForSku"},
		"too much scale":           {bastionBody(standard, subnet, ip, func(p *armnetwork.BastionHostPropertiesFormat) { p.ScaleUnits = new(int32(51)) }), "BastionHostScaleUnitsInvalid"},
		"recording of Standard":    {bastionBody(standard, subnet, ip, func(p *armnetwork.BastionHostPropertiesFormat) { p.EnableSessionRecording = new(true) }), "BastionHostFeatureNotSupportedForSku"},
		"Developer with a subnet":  {bastionBody(developer, subnet, ip, nil), "FeatureNotSupportedForDeveloperBastionSku"},
		"Developer without either": {bastionBody(developer, subnet, ip, func(p *armnetwork.BastionHostPropertiesFormat) { p.IPConfigurations = nil }), "FeatureNotSupportedForDeveloperBastionSku"},
		"Developer with a feature": {bastionBody(developer, subnet, ip, func(p *armnetwork.BastionHostPropertiesFormat) { vnet(p); p.EnableIPConnect = new(true) }), "FeatureNotSupportedForDeveloperBastionSku"},
	} {
		refused(t, name, test.code, func() error {
			_, err := l.bastions.BeginCreateOrUpdate(t.Context(), group, "hub", test.body, nil)
			return err
		})
	}
	if n := l.e.Counts().Resources["Microsoft.Network/bastionHosts"]; n != 1 {
		t.Errorf("%d Bastions", n)
	}
	// A group on the subnet has to let Bastion's own traffic through.
	rule := func(name string, priority int32, from string) *armnetwork.SecurityRule {
		return &armnetwork.SecurityRule{Name: &name, Properties: &armnetwork.SecurityRulePropertiesFormat{
			Priority: &priority, Direction: p(armnetwork.SecurityRuleDirectionInbound), Access: p(armnetwork.SecurityRuleAccessAllow), Protocol: p(armnetwork.SecurityRuleProtocolTCP),
			SourcePortRange: new("*"), DestinationPortRange: new("443"), SourceAddressPrefix: &from, DestinationAddressPrefix: new("*"),
		}}
	}
	protect := func(rules ...*armnetwork.SecurityRule) {
		nsg := finish[armnetwork.SecurityGroupsClientCreateOrUpdateResponse](l.lab)(l.nsgs.BeginCreateOrUpdate(t.Context(), group, "nsg", armnetwork.SecurityGroup{
			Location: new(region), Properties: &armnetwork.SecurityGroupPropertiesFormat{SecurityRules: rules},
		}, nil))
		finish[armnetwork.SubnetsClientCreateOrUpdateResponse](l.lab)(l.subnets.BeginCreateOrUpdate(t.Context(), group, "net", "AzureBastionSubnet", armnetwork.Subnet{
			Properties: &armnetwork.SubnetPropertiesFormat{AddressPrefix: new("10.0.1.0/26"), NetworkSecurityGroup: &armnetwork.SecurityGroup{ID: nsg.ID}},
		}, nil))
	}
	protect(rule("internet", 100, "Internet"))
	refused(t, "a group without Azure's rule", "NetworkSecurityGroupNotCompliantForAzureBastionSubnet", func() error {
		_, err := l.bastions.BeginCreateOrUpdate(t.Context(), group, "hub", bastionBody(standard, subnet, ip, nil), nil)
		return err
	})
	protect(rule("internet", 100, "Internet"), rule("azure", 110, "GatewayManager"))
	finish[armnetwork.BastionHostsClientCreateOrUpdateResponse](l.lab)(l.bastions.BeginCreateOrUpdate(t.Context(), group, "hub", bastionBody(standard, subnet, ip, nil), nil))
}

// TestNATGatewayOfASubnet sees that a subnet takes a gateway, and that the gateway cannot go before it lets go.
func TestNATGatewayOfASubnet(t *testing.T) {
	t.Parallel()
	l := newBastionLab(t, emulator.Options{})
	ctx := t.Context()
	l.bastionNet("net", "10.0.0.0/16", "vms", "10.0.1.0/24")
	ip := l.address("ip", armnetwork.PublicIPAddressSKUNameStandard, armnetwork.IPAllocationMethodStatic)
	nat := finish[armnetwork.NatGatewaysClientCreateOrUpdateResponse](l.lab)(l.nats.BeginCreateOrUpdate(ctx, group, "out", armnetwork.NatGateway{
		Location: new(region), SKU: &armnetwork.NatGatewaySKU{Name: p(armnetwork.NatGatewaySKUNameStandard)},
		Properties: &armnetwork.NatGatewayPropertiesFormat{PublicIPAddresses: []*armnetwork.SubResource{{ID: &ip}}},
	}, nil))
	put := func(gateway *armnetwork.SubResource) armnetwork.Subnet {
		return finish[armnetwork.SubnetsClientCreateOrUpdateResponse](l.lab)(l.subnets.BeginCreateOrUpdate(ctx, group, "net", "vms", armnetwork.Subnet{
			Properties: &armnetwork.SubnetPropertiesFormat{AddressPrefix: new("10.0.1.0/24"), NatGateway: gateway},
		}, nil)).Subnet
	}
	if s := put(&armnetwork.SubResource{ID: nat.ID}); s.Properties.NatGateway == nil || *s.Properties.NatGateway.ID != *nat.ID {
		t.Errorf("subnet: %+v", s.Properties.NatGateway)
	}
	if g := must(l.nats.Get(ctx, group, "out", nil)); len(g.Properties.Subnets) != 1 {
		t.Errorf("the gateway's subnets: %v", g.Properties.Subnets)
	}
	refused(t, "a gateway in use", "InUseNatGatewayCannotBeDeleted", func() error { _, err := l.nats.BeginDelete(ctx, group, "out", nil); return err })
	refused(t, "its address", "PublicIPAddressCannotBeDeleted", func() error { _, err := l.ips.BeginDelete(ctx, group, "ip", nil); return err })
	refused(t, "a gateway that is not there", "InvalidResourceReference", func() error {
		_, err := l.subnets.BeginCreateOrUpdate(ctx, group, "net", "vms", armnetwork.Subnet{
			Properties: &armnetwork.SubnetPropertiesFormat{AddressPrefix: new("10.0.1.0/24"), NatGateway: &armnetwork.SubResource{ID: new(*nat.ID + "x")}},
		}, nil)
		return err
	})
	put(nil)
	finish[armnetwork.NatGatewaysClientDeleteResponse](l.lab)(l.nats.BeginDelete(ctx, group, "out", nil))
	finish[armnetwork.PublicIPAddressesClientDeleteResponse](l.lab)(l.ips.BeginDelete(ctx, group, "ip", nil))
}
