package emulator_test

import (
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/emulator"
)

// TestWhatLoadBalancersAndPrivateEndpointsHold has the official clients see to what looks unused and is not.
func TestWhatLoadBalancersAndPrivateEndpointsHold(t *testing.T) {
	t.Parallel()
	l := newLab(t, emulator.Options{})
	l.network()
	ctx, sub := t.Context(), l.e.Identity().SubscriptionID
	balancers := must(armnetwork.NewLoadBalancersClient(sub, l.cred, l.opt))
	endpoints := must(armnetwork.NewPrivateEndpointsClient(sub, l.cred, l.opt))

	ip := finish[armnetwork.PublicIPAddressesClientCreateOrUpdateResponse](l)(l.ips.BeginCreateOrUpdate(ctx, group, "front", armnetwork.PublicIPAddress{
		Location: new(region), SKU: &armnetwork.PublicIPAddressSKU{Name: new(armnetwork.PublicIPAddressSKUNameStandard)},
		Properties: &armnetwork.PublicIPAddressPropertiesFormat{PublicIPAllocationMethod: new(armnetwork.IPAllocationMethodStatic)},
	}, nil))
	balancer := finish[armnetwork.LoadBalancersClientCreateOrUpdateResponse](l)(balancers.BeginCreateOrUpdate(ctx, group, "lb", armnetwork.LoadBalancer{
		Location: new(region), SKU: &armnetwork.LoadBalancerSKU{Name: new(armnetwork.LoadBalancerSKUNameStandard)},
		Properties: &armnetwork.LoadBalancerPropertiesFormat{
			FrontendIPConfigurations: []*armnetwork.FrontendIPConfiguration{{
				Name: new("fe"), Properties: &armnetwork.FrontendIPConfigurationPropertiesFormat{PublicIPAddress: &armnetwork.PublicIPAddress{ID: ip.ID}},
			}},
			BackendAddressPools: []*armnetwork.BackendAddressPool{{Name: new("be")}},
		},
	}, nil))
	front := balancer.Properties.FrontendIPConfigurations[0]
	if got := got[armnetwork.PublicIPAddressesClientGetResponse](l)(l.ips.Get(ctx, group, "front", nil)); *got.Properties.IPConfiguration.ID != *front.ID || !strings.HasSuffix(*front.ID, "/loadBalancers/lb/frontendIPConfigurations/fe") {
		t.Errorf("the address is held by %s, the frontend is %s", *got.Properties.IPConfiguration.ID, *front.ID)
	}
	if _, err := l.ips.BeginDelete(ctx, group, "front", nil); err == nil || !contains(err.Error(), "PublicIPAddressCannotBeDeleted") {
		t.Errorf("its address can be deleted: %v", err)
	}
	got[armnetwork.LoadBalancersClientUpdateTagsResponse](l)(balancers.UpdateTags(ctx, group, "lb", armnetwork.TagsObject{Tags: map[string]*string{"a": new("b")}}, nil))
	some(l, "load balancers", pages(l, balancers.NewListPager(group, nil), func(r armnetwork.LoadBalancersClientListResponse) []*armnetwork.LoadBalancer { return r.Value }), 1)
	some(l, "all load balancers", pages(l, balancers.NewListAllPager(nil), func(r armnetwork.LoadBalancersClientListAllResponse) []*armnetwork.LoadBalancer { return r.Value }), 1)
	got[armnetwork.LoadBalancersClientGetResponse](l)(balancers.Get(ctx, group, "lb", nil))
	finish[armnetwork.LoadBalancersClientDeleteResponse](l)(balancers.BeginDelete(ctx, group, "lb", nil))
	finish[armnetwork.PublicIPAddressesClientDeleteResponse](l)(l.ips.BeginDelete(ctx, group, "front", nil))

	subnet := "/subscriptions/" + sub + "/resourceGroups/" + group + "/providers/Microsoft.Network/virtualNetworks/vnet/subnets/default"
	endpoint := finish[armnetwork.PrivateEndpointsClientCreateOrUpdateResponse](l)(endpoints.BeginCreateOrUpdate(ctx, group, "pe", armnetwork.PrivateEndpoint{
		Location: new(region), Properties: &armnetwork.PrivateEndpointProperties{
			Subnet: &armnetwork.Subnet{ID: &subnet},
			PrivateLinkServiceConnections: []*armnetwork.PrivateLinkServiceConnection{{Name: new("c"), Properties: &armnetwork.PrivateLinkServiceConnectionProperties{
				PrivateLinkServiceID: new("/subscriptions/" + sub + "/resourceGroups/" + group + "/providers/Microsoft.Storage/storageAccounts/a"), GroupIDs: []*string{new("file")},
			}}},
		},
	}, nil))
	nicID := *endpoint.Properties.NetworkInterfaces[0].ID
	name := nicID[strings.LastIndex(nicID, "/")+1:]
	nic := got[armnetwork.InterfacesClientGetResponse](l)(l.nics.Get(ctx, group, name, nil))
	if nic.Properties.VirtualMachine != nil || !strings.EqualFold(*nic.Properties.PrivateEndpoint.ID, *endpoint.ID) || *nic.Properties.IPConfigurations[0].Properties.PrivateIPAddress == "" || nic.Tags != nil {
		t.Errorf("interface %+v", nic.Properties)
	}
	if _, err := l.nics.BeginDelete(ctx, group, name, nil); err == nil || !contains(err.Error(), "NicInUseWithPrivateEndpoint") {
		t.Errorf("its interface can be deleted: %v", err)
	}
	if _, err := l.nics.BeginCreateOrUpdate(ctx, group, name, nic.Interface, nil); err == nil || !contains(err.Error(), "CannotModifyNicAttachedToPrivateEndpoint") {
		t.Errorf("its interface can be changed: %v", err)
	}
	some(l, "private endpoints", pages(l, endpoints.NewListPager(group, nil), func(r armnetwork.PrivateEndpointsClientListResponse) []*armnetwork.PrivateEndpoint { return r.Value }), 1)
	some(l, "all private endpoints", pages(l, endpoints.NewListBySubscriptionPager(nil), func(r armnetwork.PrivateEndpointsClientListBySubscriptionResponse) []*armnetwork.PrivateEndpoint {
		return r.Value
	}), 1)
	got[armnetwork.PrivateEndpointsClientGetResponse](l)(endpoints.Get(ctx, group, "pe", nil))
	finish[armnetwork.PrivateEndpointsClientDeleteResponse](l)(endpoints.BeginDelete(ctx, group, "pe", nil))
	if _, err := l.nics.Get(ctx, group, name, nil); err == nil {
		t.Error("its interface is left over")
	}
}

// TestAccessToDisks gives out signatures, which keep a disk and a snapshot from being deleted.
func TestAccessToDisks(t *testing.T) {
	t.Parallel()
	l := newLab(t, emulator.Options{})
	l.network()
	ctx := t.Context()
	snapshots := must(armcompute.NewSnapshotsClient(l.e.Identity().SubscriptionID, l.cred, l.opt))
	disk := finish[armcompute.DisksClientCreateOrUpdateResponse](l)(l.disks.BeginCreateOrUpdate(ctx, group, "d", armcompute.Disk{Location: new(region), Properties: &armcompute.DiskProperties{
		CreationData: &armcompute.CreationData{CreateOption: new(armcompute.DiskCreateOptionEmpty)}, DiskSizeGB: new(int32(32)),
	}}, nil))
	finish[armcompute.SnapshotsClientCreateOrUpdateResponse](l)(snapshots.BeginCreateOrUpdate(ctx, group, "s", armcompute.Snapshot{Location: new(region), Properties: &armcompute.SnapshotProperties{
		CreationData: &armcompute.CreationData{CreateOption: new(armcompute.DiskCreateOptionCopy), SourceResourceID: disk.ID},
	}}, nil))
	read := armcompute.GrantAccessData{Access: new(armcompute.AccessLevelRead), DurationInSeconds: new(int32(3600))}
	if uri := finish[armcompute.DisksClientGrantAccessResponse](l)(l.disks.BeginGrantAccess(ctx, group, "d", read, nil)); !strings.HasPrefix(*uri.AccessSAS, "https://md-") {
		t.Errorf("signature %s", *uri.AccessSAS)
	}
	if d := got[armcompute.DisksClientGetResponse](l)(l.disks.Get(ctx, group, "d", nil)); *d.Properties.DiskState != armcompute.DiskStateActiveSAS {
		t.Errorf("state %s", *d.Properties.DiskState)
	}
	if _, err := l.disks.BeginDelete(ctx, group, "d", nil); err == nil || !contains(err.Error(), "active shared access signature") {
		t.Errorf("the disk can be deleted: %v", err)
	}
	finish[armcompute.DisksClientRevokeAccessResponse](l)(l.disks.BeginRevokeAccess(ctx, group, "d", nil))
	finish[armcompute.DisksClientDeleteResponse](l)(l.disks.BeginDelete(ctx, group, "d", nil))

	finish[armcompute.SnapshotsClientGrantAccessResponse](l)(snapshots.BeginGrantAccess(ctx, group, "s", read, nil))
	if _, err := snapshots.BeginDelete(ctx, group, "s", nil); err == nil || !contains(err.Error(), "active shared access signature") {
		t.Errorf("the snapshot can be deleted: %v", err)
	}
	finish[armcompute.SnapshotsClientRevokeAccessResponse](l)(snapshots.BeginRevokeAccess(ctx, group, "s", nil))
	finish[armcompute.SnapshotsClientDeleteResponse](l)(snapshots.BeginDelete(ctx, group, "s", nil))

	l.vm("a")
	os := ""
	for _, d := range pages(l, l.disks.NewListPager(nil), func(r armcompute.DisksClientListResponse) []*armcompute.Disk { return r.Value }) {
		os = *d.Name
	}
	if _, err := l.disks.BeginGrantAccess(ctx, group, os, read, nil); err == nil || !contains(err.Error(), "currently attached to running VM") {
		t.Errorf("access to the disk of a running VM: %v", err)
	}
}
