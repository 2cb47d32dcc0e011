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
	if _, err := l.groups.CreateOrUpdate(ctx, group, armresources.ResourceGroup{Location: p(region)}, nil); err != nil {
		l.Fatal(err)
	}
	nsg := wait[armnetwork.SecurityGroupsClientCreateOrUpdateResponse](l)(l.nsgs.BeginCreateOrUpdate(ctx, group, "nsg", armnetwork.SecurityGroup{Location: p(region),
		Properties: &armnetwork.SecurityGroupPropertiesFormat{SecurityRules: []*armnetwork.SecurityRule{sshRule("ssh", 1000, "203.0.113.10/32")}}}, nil))
	wait[armnetwork.VirtualNetworksClientCreateOrUpdateResponse](l)(l.vnets.BeginCreateOrUpdate(ctx, group, "vnet", armnetwork.VirtualNetwork{Location: p(region),
		Properties: &armnetwork.VirtualNetworkPropertiesFormat{AddressSpace: &armnetwork.AddressSpace{AddressPrefixes: []*string{p("10.0.0.0/16")}},
			Subnets: []*armnetwork.Subnet{{Name: p("default"), Properties: &armnetwork.SubnetPropertiesFormat{AddressPrefix: p("10.0.0.0/24"),
				DefaultOutboundAccess: p(false), NetworkSecurityGroup: &armnetwork.SecurityGroup{ID: nsg.ID}}}}}}, nil))
}

func sshRule(name string, priority int32, source string) *armnetwork.SecurityRule {
	return &armnetwork.SecurityRule{Name: &name, Properties: &armnetwork.SecurityRulePropertiesFormat{Priority: &priority, Access: p(armnetwork.SecurityRuleAccessAllow),
		Direction: p(armnetwork.SecurityRuleDirectionInbound), Protocol: p(armnetwork.SecurityRuleProtocolTCP), SourceAddressPrefix: &source, SourcePortRange: p("*"),
		DestinationAddressPrefix: p("*"), DestinationPortRange: p("22")}}
}

// nic makes an interface with a public address and returns both.
func (l *lab) nic(name string) (armnetwork.Interface, armnetwork.PublicIPAddress) {
	l.Helper()
	ctx := l.Context()
	pip := wait[armnetwork.PublicIPAddressesClientCreateOrUpdateResponse](l)(l.ips.BeginCreateOrUpdate(ctx, group, name+"-ip", armnetwork.PublicIPAddress{Location: p(region),
		SKU:        &armnetwork.PublicIPAddressSKU{Name: p(armnetwork.PublicIPAddressSKUNameStandard)},
		Properties: &armnetwork.PublicIPAddressPropertiesFormat{PublicIPAllocationMethod: p(armnetwork.IPAllocationMethodStatic)}}, nil)).PublicIPAddress
	vnet, err := l.vnets.Get(ctx, group, "vnet", nil)
	if err != nil {
		l.Fatal(err)
	}
	nic := wait[armnetwork.InterfacesClientCreateOrUpdateResponse](l)(l.nics.BeginCreateOrUpdate(ctx, group, name+"-nic", armnetwork.Interface{Location: p(region),
		Properties: &armnetwork.InterfacePropertiesFormat{IPConfigurations: []*armnetwork.InterfaceIPConfiguration{{Name: p("primary"),
			Properties: &armnetwork.InterfaceIPConfigurationPropertiesFormat{Subnet: &armnetwork.Subnet{ID: vnet.Properties.Subnets[0].ID},
				PublicIPAddress: &armnetwork.PublicIPAddress{ID: pip.ID, Properties: &armnetwork.PublicIPAddressPropertiesFormat{DeleteOption: p(armnetwork.DeleteOptionsDelete)}}}}}}}, nil)).Interface
	return nic, pip
}

// spec is a VM whose parts go with it.
func spec(name, nic string) armcompute.VirtualMachine {
	return armcompute.VirtualMachine{Location: p(region), Tags: map[string]*string{"managed-by": p("azlin")},
		Properties: &armcompute.VirtualMachineProperties{
			HardwareProfile: &armcompute.HardwareProfile{VMSize: p(armcompute.VirtualMachineSizeTypes("Standard_D2s_v5"))},
			StorageProfile: &armcompute.StorageProfile{
				ImageReference: &armcompute.ImageReference{Publisher: p("Canonical"), Offer: p("ubuntu-24_04-lts"), SKU: p("server"), Version: p("latest")},
				OSDisk: &armcompute.OSDisk{Name: p(name + "-os"), CreateOption: p(armcompute.DiskCreateOptionTypesFromImage), DeleteOption: p(armcompute.DiskDeleteOptionTypesDelete),
					ManagedDisk: &armcompute.ManagedDiskParameters{StorageAccountType: p(armcompute.StorageAccountTypesPremiumLRS)}}},
			OSProfile: &armcompute.OSProfile{ComputerName: &name, AdminUsername: p("azureuser"), CustomData: p("I2Nsb3VkLWNvbmZpZwo="),
				LinuxConfiguration: &armcompute.LinuxConfiguration{DisablePasswordAuthentication: p(true),
					SSH: &armcompute.SSHConfiguration{PublicKeys: []*armcompute.SSHPublicKey{{Path: p("/home/azureuser/.ssh/authorized_keys"), KeyData: p(key)}}}}},
			NetworkProfile: &armcompute.NetworkProfile{NetworkInterfaces: []*armcompute.NetworkInterfaceReference{{ID: &nic,
				Properties: &armcompute.NetworkInterfaceReferenceProperties{Primary: p(true), DeleteOption: p(armcompute.DeleteOptionsDelete)}}}},
			DiagnosticsProfile: &armcompute.DiagnosticsProfile{BootDiagnostics: &armcompute.BootDiagnostics{Enabled: p(true)}},
		}}
}

// vm makes a VM with its own interface and address.
func (l *lab) vm(name string) armcompute.VirtualMachine {
	l.Helper()
	nic, _ := l.nic(name)
	return wait[armcompute.VirtualMachinesClientCreateOrUpdateResponse](l)(l.vms.BeginCreateOrUpdate(l.Context(), group, name, spec(name, *nic.ID), nil)).VirtualMachine
}
