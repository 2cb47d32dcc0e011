package emulator_test

import (
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"
)

const (
	region = "westus2"
	group  = "lab"
)

// network makes a group with a virtual network, and a security group that lets SSH in.
func (l *lab) network() {
	l.Helper()
	ctx := l.Context()
	if _, err := l.groups.CreateOrUpdate(ctx, group, armresources.ResourceGroup{Location: new(region)}, nil); err != nil {
		l.Fatal(err)
	}
	nsg := finish[armnetwork.SecurityGroupsClientCreateOrUpdateResponse](l)(l.nsgs.BeginCreateOrUpdate(ctx, group, "nsg", armnetwork.SecurityGroup{
		Location:   new(region),
		Properties: &armnetwork.SecurityGroupPropertiesFormat{SecurityRules: []*armnetwork.SecurityRule{sshRule("ssh", 1000, "203.0.113.10/32")}},
	}, nil))
	finish[armnetwork.VirtualNetworksClientCreateOrUpdateResponse](l)(l.vnets.BeginCreateOrUpdate(ctx, group, "vnet", armnetwork.VirtualNetwork{
		Location: new(region),
		Properties: &armnetwork.VirtualNetworkPropertiesFormat{
			AddressSpace: &armnetwork.AddressSpace{AddressPrefixes: []*string{new("10.0.0.0/16")}},
			Subnets: []*armnetwork.Subnet{{Name: new("default"), Properties: &armnetwork.SubnetPropertiesFormat{
				AddressPrefix:         new("10.0.0.0/24"),
				DefaultOutboundAccess: new(false), NetworkSecurityGroup: &armnetwork.SecurityGroup{ID: nsg.ID},
			}}},
		},
	}, nil))
}

func sshRule(name string, priority int32, source string) *armnetwork.SecurityRule {
	return &armnetwork.SecurityRule{Name: &name, Properties: &armnetwork.SecurityRulePropertiesFormat{
		Priority: &priority, Access: p(armnetwork.SecurityRuleAccessAllow),
		Direction: p(armnetwork.SecurityRuleDirectionInbound), Protocol: p(armnetwork.SecurityRuleProtocolTCP), SourceAddressPrefix: &source, SourcePortRange: new("*"),
		DestinationAddressPrefix: new("*"), DestinationPortRange: new("22"),
	}}
}

// nic makes an interface with a public address and returns both.
func (l *lab) nic(name string) (armnetwork.Interface, armnetwork.PublicIPAddress) {
	l.Helper()
	ctx := l.Context()
	pip := finish[armnetwork.PublicIPAddressesClientCreateOrUpdateResponse](l)(l.ips.BeginCreateOrUpdate(ctx, group, name+"-ip", armnetwork.PublicIPAddress{
		Location:   new(region),
		SKU:        &armnetwork.PublicIPAddressSKU{Name: p(armnetwork.PublicIPAddressSKUNameStandard)},
		Properties: &armnetwork.PublicIPAddressPropertiesFormat{PublicIPAllocationMethod: p(armnetwork.IPAllocationMethodStatic)},
	}, nil)).PublicIPAddress
	vnet, err := l.vnets.Get(ctx, group, "vnet", nil)
	if err != nil {
		l.Fatal(err)
	}
	nic := finish[armnetwork.InterfacesClientCreateOrUpdateResponse](l)(l.nics.BeginCreateOrUpdate(ctx, group, name+"-nic", armnetwork.Interface{
		Location: new(region),
		Properties: &armnetwork.InterfacePropertiesFormat{IPConfigurations: []*armnetwork.InterfaceIPConfiguration{{
			Name: new("primary"),
			Properties: &armnetwork.InterfaceIPConfigurationPropertiesFormat{
				Subnet:          &armnetwork.Subnet{ID: vnet.Properties.Subnets[0].ID},
				PublicIPAddress: &armnetwork.PublicIPAddress{ID: pip.ID, Properties: &armnetwork.PublicIPAddressPropertiesFormat{DeleteOption: p(armnetwork.DeleteOptionsDelete)}},
			},
		}}},
	}, nil)).Interface
	return nic, pip
}

// spec is a VM whose parts go with it.
func spec(name, nic string) armcompute.VirtualMachine {
	return armcompute.VirtualMachine{
		Location: new(region), Tags: map[string]*string{"managed-by": new("azlin")},
		Properties: &armcompute.VirtualMachineProperties{
			HardwareProfile: &armcompute.HardwareProfile{VMSize: p(armcompute.VirtualMachineSizeTypes("Standard_D2s_v5"))},
			StorageProfile: &armcompute.StorageProfile{
				ImageReference: &armcompute.ImageReference{Publisher: new("Canonical"), Offer: new("ubuntu-24_04-lts"), SKU: new("server"), Version: new("latest")},
				OSDisk: &armcompute.OSDisk{
					Name: new(name + "-os"), CreateOption: p(armcompute.DiskCreateOptionTypesFromImage), DeleteOption: p(armcompute.DiskDeleteOptionTypesDelete),
					ManagedDisk: &armcompute.ManagedDiskParameters{StorageAccountType: p(armcompute.StorageAccountTypesPremiumLRS)},
				},
			},
			OSProfile: &armcompute.OSProfile{
				ComputerName: &name, AdminUsername: new("azureuser"), CustomData: new("I2Nsb3VkLWNvbmZpZwo="),
				LinuxConfiguration: &armcompute.LinuxConfiguration{
					DisablePasswordAuthentication: new(true),
					SSH:                           &armcompute.SSHConfiguration{PublicKeys: []*armcompute.SSHPublicKey{{Path: new("/home/azureuser/.ssh/authorized_keys"), KeyData: new(key)}}},
				},
			},
			NetworkProfile: &armcompute.NetworkProfile{NetworkInterfaces: []*armcompute.NetworkInterfaceReference{{
				ID:         &nic,
				Properties: &armcompute.NetworkInterfaceReferenceProperties{Primary: new(true), DeleteOption: p(armcompute.DeleteOptionsDelete)},
			}}},
			DiagnosticsProfile: &armcompute.DiagnosticsProfile{BootDiagnostics: &armcompute.BootDiagnostics{Enabled: new(true)}},
		},
	}
}

// vm makes a VM with its own interface and address.
func (l *lab) vm(name string) armcompute.VirtualMachine {
	l.Helper()
	nic, _ := l.nic(name)
	return finish[armcompute.VirtualMachinesClientCreateOrUpdateResponse](l)(l.vms.BeginCreateOrUpdate(l.Context(), group, name, spec(name, *nic.ID), nil)).VirtualMachine
}
