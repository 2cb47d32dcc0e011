package azure_test

import (
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/azure"
)

func TestUsedBy(t *testing.T) {
	t.Parallel()
	ip := func(p armnetwork.PublicIPAddressPropertiesFormat) string {
		return azure.PublicIPUsedBy(&armnetwork.PublicIPAddress{Properties: &p})
	}
	nic := func(p armnetwork.InterfacePropertiesFormat) string {
		return azure.NICUsedBy(&armnetwork.Interface{Properties: &p})
	}
	disk := func(d armcompute.Disk) string { return azure.DiskUsedBy(&d) }
	state := func(s armcompute.DiskState) string {
		return disk(armcompute.Disk{Properties: &armcompute.DiskProperties{DiskState: &s}})
	}
	for _, tc := range []struct{ name, got, want string }{
		{"free address", ip(armnetwork.PublicIPAddressPropertiesFormat{}), ""},
		{"address without properties", azure.PublicIPUsedBy(&armnetwork.PublicIPAddress{}), ""},
		{"load balancer's address", ip(armnetwork.PublicIPAddressPropertiesFormat{IPConfiguration: &armnetwork.IPConfiguration{ID: new("lb")}}), "lb"},
		{"NAT gateway's address", ip(armnetwork.PublicIPAddressPropertiesFormat{NatGateway: &armnetwork.NatGateway{ID: new("nat")}}), "nat"},
		{"NAT gateway without id", ip(armnetwork.PublicIPAddressPropertiesFormat{NatGateway: &armnetwork.NatGateway{}}), "a NAT gateway"},
		{"free NIC", nic(armnetwork.InterfacePropertiesFormat{}), ""},
		{"VM's NIC", nic(armnetwork.InterfacePropertiesFormat{VirtualMachine: &armnetwork.SubResource{ID: new("vm")}}), "vm"},
		{"private endpoint's NIC", nic(armnetwork.InterfacePropertiesFormat{PrivateEndpoint: &armnetwork.PrivateEndpoint{ID: new("pe")}}), "pe"},
		{"hosted NIC", nic(armnetwork.InterfacePropertiesFormat{HostedWorkloads: []*string{new("app")}}), "app"},
		{"free disk", state(armcompute.DiskStateUnattached), ""},
		{"VM's disk", disk(armcompute.Disk{ManagedBy: new("vm")}), "vm"},
		{"shared disk", disk(armcompute.Disk{ManagedByExtended: []*string{new("vm2")}}), "vm2"},
		{"exported disk", state(armcompute.DiskStateActiveSAS), "an active shared access signature"},
		{"disk being uploaded", state(armcompute.DiskStateReadyToUpload), "an upload"},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: used by %q, want %q", tc.name, tc.got, tc.want)
		}
	}
	nsg := &armnetwork.SecurityGroup{Properties: &armnetwork.SecurityGroupPropertiesFormat{
		NetworkInterfaces: []*armnetwork.Interface{{ID: new("nic")}}, Subnets: []*armnetwork.Subnet{{ID: new("subnet")}},
	}}
	if got := azure.NSGUsedBy(nsg); len(got) != 2 || got[0] != "nic" || got[1] != "subnet" {
		t.Errorf("security group: %v", got)
	}
}
