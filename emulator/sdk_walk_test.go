package emulator_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/storage/armstorage"

	"github.com/azlin-dev/azlin/emulator"
)

// pages reads all pages of a list.
func pages[R, E any](l *lab, pager *runtime.Pager[R], of func(R) []E) []E {
	l.Helper()
	var all []E
	for pager.More() {
		page, err := pager.NextPage(l.Context())
		if err != nil {
			l.Fatal(err)
		}
		all = append(all, of(page)...)
	}
	return all
}

// some demands that a list has n elements; -1: at least one.
func some[E any](l *lab, what string, list []E, n int) []E {
	l.Helper()
	if len(list) != n && (n >= 0 || len(list) == 0) {
		l.Fatalf("%s: %d elements, not %d", what, len(list), n)
	}
	return list
}

// got demands that a call succeeds.
func got[T any](l *lab) func(v T, err error) T {
	return func(v T, err error) T {
		l.Helper()
		if err != nil {
			l.Fatal(err)
		}
		return v
	}
}

// TestSDKOnCompute has the official clients make what other tests leave out of Microsoft.Compute.
func TestSDKOnCompute(t *testing.T) {
	t.Parallel()
	l := newLab(t, emulator.Options{})
	ctx, sub := t.Context(), l.e.Identity().SubscriptionID
	l.network()
	vm := l.vm("a")
	if list := some(l, "all VMs", pages(l, l.vms.NewListAllPager(nil), func(r armcompute.VirtualMachinesClientListAllResponse) []*armcompute.VirtualMachine { return r.Value }), 1); *list[0].Name != "a" {
		t.Errorf("VM %s", *list[0].Name)
	}
	some(l, "VMs of a region", pages(l, l.vms.NewListByLocationPager(region, nil), func(r armcompute.VirtualMachinesClientListByLocationResponse) []*armcompute.VirtualMachine {
		return r.Value
	}), 1)
	some(l, "VMs of a group", pages(l, l.vms.NewListPager(group, nil), func(r armcompute.VirtualMachinesClientListResponse) []*armcompute.VirtualMachine { return r.Value }), 1)
	some(l, "sizes to choose from", pages(l, l.vms.NewListAvailableSizesPager(group, "a", nil), func(r armcompute.VirtualMachinesClientListAvailableSizesResponse) []*armcompute.VirtualMachineSize {
		return r.Value
	}), -1)
	updated := finish[armcompute.VirtualMachinesClientUpdateResponse](l)(l.vms.BeginUpdate(ctx, group, "a", armcompute.VirtualMachineUpdate{Tags: map[string]*string{"x": new("y")}}, nil))
	if *updated.Tags["x"] != "y" || *updated.Properties.VMID != *vm.Properties.VMID {
		t.Errorf("updated: %v", updated.Tags)
	}
	finish[armcompute.VirtualMachinesClientPowerOffResponse](l)(l.vms.BeginPowerOff(ctx, group, "a", nil))
	if power := l.power("a"); power != "PowerState/stopped" {
		t.Errorf("power %s", power)
	}
	finish[armcompute.VirtualMachinesClientStartResponse](l)(l.vms.BeginStart(ctx, group, "a", nil))
	finish[armcompute.VirtualMachinesClientRedeployResponse](l)(l.vms.BeginRedeploy(ctx, group, "a", nil))
	finish[armcompute.VirtualMachinesClientReapplyResponse](l)(l.vms.BeginReapply(ctx, group, "a", nil))

	finish[armcompute.DisksClientCreateOrUpdateResponse](l)(l.disks.BeginCreateOrUpdate(ctx, group, "d", armcompute.Disk{Location: new(region), Properties: &armcompute.DiskProperties{
		CreationData: &armcompute.CreationData{CreateOption: new(armcompute.DiskCreateOptionEmpty)}, DiskSizeGB: new(int32(8)),
	}}, nil))
	finish[armcompute.DisksClientUpdateResponse](l)(l.disks.BeginUpdate(ctx, group, "d", armcompute.DiskUpdate{Properties: &armcompute.DiskUpdateProperties{DiskSizeGB: new(int32(16))}}, nil))
	if d := got[armcompute.DisksClientGetResponse](l)(l.disks.Get(ctx, group, "d", nil)); *d.Properties.DiskSizeGB != 16 {
		t.Errorf("disk: %d GB", *d.Properties.DiskSizeGB)
	}
	some(l, "all disks", pages(l, l.disks.NewListPager(nil), func(r armcompute.DisksClientListResponse) []*armcompute.Disk { return r.Value }), 2)
	some(l, "disks of a group", pages(l, l.disks.NewListByResourceGroupPager(group, nil), func(r armcompute.DisksClientListByResourceGroupResponse) []*armcompute.Disk { return r.Value }), 2)
	snaps := must(armcompute.NewSnapshotsClient(sub, l.cred, l.opt))
	source := "/subscriptions/" + sub + "/resourceGroups/" + group + "/providers/Microsoft.Compute/disks/d"
	finish[armcompute.SnapshotsClientCreateOrUpdateResponse](l)(snaps.BeginCreateOrUpdate(ctx, group, "s", armcompute.Snapshot{Location: new(region), Properties: &armcompute.SnapshotProperties{
		CreationData: &armcompute.CreationData{CreateOption: new(armcompute.DiskCreateOptionCopy), SourceResourceID: &source},
	}}, nil))
	finish[armcompute.SnapshotsClientUpdateResponse](l)(snaps.BeginUpdate(ctx, group, "s", armcompute.SnapshotUpdate{Tags: map[string]*string{"a": new("b")}}, nil))
	if s := got[armcompute.SnapshotsClientGetResponse](l)(snaps.Get(ctx, group, "s", nil)); *s.Properties.DiskSizeGB != 16 || *s.Tags["a"] != "b" {
		t.Errorf("snapshot: %+v", s.Properties)
	}
	some(l, "all snapshots", pages(l, snaps.NewListPager(nil), func(r armcompute.SnapshotsClientListResponse) []*armcompute.Snapshot { return r.Value }), 1)
	some(l, "snapshots of a group", pages(l, snaps.NewListByResourceGroupPager(group, nil), func(r armcompute.SnapshotsClientListByResourceGroupResponse) []*armcompute.Snapshot { return r.Value }), 1)
	finish[armcompute.SnapshotsClientDeleteResponse](l)(snaps.BeginDelete(ctx, group, "s", nil))
	finish[armcompute.DisksClientDeleteResponse](l)(l.disks.BeginDelete(ctx, group, "d", nil))

	images := must(armcompute.NewVirtualMachineImagesClient(sub, l.cred, l.opt))
	some(l, "publishers", got[armcompute.VirtualMachineImagesClientListPublishersResponse](l)(images.ListPublishers(ctx, region, nil)).VirtualMachineImageResourceArray, -1)
	some(l, "offers", got[armcompute.VirtualMachineImagesClientListOffersResponse](l)(images.ListOffers(ctx, region, "Debian", nil)).VirtualMachineImageResourceArray, -1)
	some(l, "SKUs", got[armcompute.VirtualMachineImagesClientListSKUsResponse](l)(images.ListSKUs(ctx, region, "Debian", "debian-12", nil)).VirtualMachineImageResourceArray, -1)
	versions := some(l, "versions", got[armcompute.VirtualMachineImagesClientListResponse](l)(images.List(ctx, region, "Debian", "debian-12", "12-gen2", nil)).VirtualMachineImageResourceArray, -1)
	if image := got[armcompute.VirtualMachineImagesClientGetResponse](l)(images.Get(ctx, region, "Debian", "debian-12", "12-gen2", *versions[0].Name, nil)); *image.Properties.HyperVGeneration != "V2" {
		t.Errorf("image: %+v", image.Properties)
	}
	sizes := must(armcompute.NewVirtualMachineSizesClient(sub, l.cred, l.opt))
	some(l, "sizes", pages(l, sizes.NewListPager(region, nil), func(r armcompute.VirtualMachineSizesClientListResponse) []*armcompute.VirtualMachineSize {
		return r.Value
	}), -1)
	skus := must(armcompute.NewResourceSKUsClient(sub, l.cred, l.opt))
	some(l, "SKUs", pages(l, skus.NewListPager(nil), func(r armcompute.ResourceSKUsClientListResponse) []*armcompute.ResourceSKU { return r.Value }), -1)
	usage := must(armcompute.NewUsageClient(sub, l.cred, l.opt))
	some(l, "usages", pages(l, usage.NewListPager(region, nil), func(r armcompute.UsageClientListResponse) []*armcompute.Usage { return r.Value }), -1)
}

// TestSDKOnNetwork has the official clients make what other tests leave out of Microsoft.Network.
func TestSDKOnNetwork(t *testing.T) {
	t.Parallel()
	l := newLab(t, emulator.Options{})
	ctx, sub := t.Context(), l.e.Identity().SubscriptionID
	l.network()
	l.vm("a")
	tags := armnetwork.TagsObject{Tags: map[string]*string{"a": new("b")}}
	vnets := some(l, "networks", pages(l, l.vnets.NewListAllPager(nil), func(r armnetwork.VirtualNetworksClientListAllResponse) []*armnetwork.VirtualNetwork { return r.Value }), 1)
	vnet := *vnets[0].Name
	some(l, "networks of a group", pages(l, l.vnets.NewListPager(group, nil), func(r armnetwork.VirtualNetworksClientListResponse) []*armnetwork.VirtualNetwork { return r.Value }), 1)
	if v := got[armnetwork.VirtualNetworksClientUpdateTagsResponse](l)(l.vnets.UpdateTags(ctx, group, vnet, tags, nil)); *v.Tags["a"] != "b" {
		t.Errorf("network: %v", v.Tags)
	}
	got[armnetwork.VirtualNetworksClientGetResponse](l)(l.vnets.Get(ctx, group, vnet, nil))
	subnets := must(armnetwork.NewSubnetsClient(sub, l.cred, l.opt))
	before := len(pages(l, subnets.NewListPager(group, vnet, nil), func(r armnetwork.SubnetsClientListResponse) []*armnetwork.Subnet { return r.Value }))
	finish[armnetwork.SubnetsClientCreateOrUpdateResponse](l)(subnets.BeginCreateOrUpdate(ctx, group, vnet, "more", armnetwork.Subnet{Properties: &armnetwork.SubnetPropertiesFormat{AddressPrefix: new("10.0.200.0/24")}}, nil))
	if s := got[armnetwork.SubnetsClientGetResponse](l)(subnets.Get(ctx, group, vnet, "more", nil)); *s.Properties.AddressPrefix != "10.0.200.0/24" {
		t.Errorf("subnet: %+v", s.Properties)
	}
	finish[armnetwork.SubnetsClientDeleteResponse](l)(subnets.BeginDelete(ctx, group, vnet, "more", nil))
	some(l, "subnets", pages(l, subnets.NewListPager(group, vnet, nil), func(r armnetwork.SubnetsClientListResponse) []*armnetwork.Subnet { return r.Value }), before)

	nsgs := some(l, "security groups", pages(l, l.nsgs.NewListAllPager(nil), func(r armnetwork.SecurityGroupsClientListAllResponse) []*armnetwork.SecurityGroup { return r.Value }), -1)
	nsg := *nsgs[0].Name
	some(l, "security groups of a group", pages(l, l.nsgs.NewListPager(group, nil), func(r armnetwork.SecurityGroupsClientListResponse) []*armnetwork.SecurityGroup { return r.Value }), -1)
	got[armnetwork.SecurityGroupsClientGetResponse](l)(l.nsgs.Get(ctx, group, nsg, nil))
	got[armnetwork.SecurityGroupsClientUpdateTagsResponse](l)(l.nsgs.UpdateTags(ctx, group, nsg, tags, nil))
	rule := armnetwork.SecurityRule{Properties: &armnetwork.SecurityRulePropertiesFormat{
		Access: new(armnetwork.SecurityRuleAccessAllow), Direction: new(armnetwork.SecurityRuleDirectionInbound), Protocol: new(armnetwork.SecurityRuleProtocolTCP), Priority: new(int32(777)),
		SourceAddressPrefix: new("*"), SourcePortRange: new("*"), DestinationAddressPrefix: new("*"), DestinationPortRange: new("80"),
	}}
	finish[armnetwork.SecurityRulesClientCreateOrUpdateResponse](l)(l.rules.BeginCreateOrUpdate(ctx, group, nsg, "web", rule, nil))
	if r := got[armnetwork.SecurityRulesClientGetResponse](l)(l.rules.Get(ctx, group, nsg, "web", nil)); *r.Properties.Priority != 777 {
		t.Errorf("rule: %+v", r.Properties)
	}
	some(l, "rules", pages(l, l.rules.NewListPager(group, nsg, nil), func(r armnetwork.SecurityRulesClientListResponse) []*armnetwork.SecurityRule { return r.Value }), -1)
	defaults := must(armnetwork.NewDefaultSecurityRulesClient(sub, l.cred, l.opt))
	some(l, "default rules", pages(l, defaults.NewListPager(group, nsg, nil), func(r armnetwork.DefaultSecurityRulesClientListResponse) []*armnetwork.SecurityRule { return r.Value }), 6)
	finish[armnetwork.SecurityRulesClientDeleteResponse](l)(l.rules.BeginDelete(ctx, group, nsg, "web", nil))

	finish[armnetwork.PublicIPAddressesClientCreateOrUpdateResponse](l)(l.ips.BeginCreateOrUpdate(ctx, group, "ip", armnetwork.PublicIPAddress{
		Location: new(region), SKU: &armnetwork.PublicIPAddressSKU{Name: new(armnetwork.PublicIPAddressSKUNameStandard)},
		Properties: &armnetwork.PublicIPAddressPropertiesFormat{PublicIPAllocationMethod: new(armnetwork.IPAllocationMethodStatic)},
	}, nil))
	ip := got[armnetwork.PublicIPAddressesClientGetResponse](l)(l.ips.Get(ctx, group, "ip", nil))
	got[armnetwork.PublicIPAddressesClientUpdateTagsResponse](l)(l.ips.UpdateTags(ctx, group, "ip", tags, nil))
	some(l, "addresses", pages(l, l.ips.NewListAllPager(nil), func(r armnetwork.PublicIPAddressesClientListAllResponse) []*armnetwork.PublicIPAddress {
		return r.Value
	}), -1)
	some(l, "addresses of a group", pages(l, l.ips.NewListPager(group, nil), func(r armnetwork.PublicIPAddressesClientListResponse) []*armnetwork.PublicIPAddress { return r.Value }), -1)
	nat := must(armnetwork.NewNatGatewaysClient(sub, l.cred, l.opt))
	finish[armnetwork.NatGatewaysClientCreateOrUpdateResponse](l)(nat.BeginCreateOrUpdate(ctx, group, "nat", armnetwork.NatGateway{
		Location: new(region), SKU: &armnetwork.NatGatewaySKU{Name: new(armnetwork.NatGatewaySKUNameStandard)},
		Properties: &armnetwork.NatGatewayPropertiesFormat{PublicIPAddresses: []*armnetwork.SubResource{{ID: ip.ID}}},
	}, nil))
	got[armnetwork.NatGatewaysClientGetResponse](l)(nat.Get(ctx, group, "nat", nil))
	some(l, "NAT gateways", pages(l, nat.NewListAllPager(nil), func(r armnetwork.NatGatewaysClientListAllResponse) []*armnetwork.NatGateway { return r.Value }), 1)
	some(l, "NAT gateways of a group", pages(l, nat.NewListPager(group, nil), func(r armnetwork.NatGatewaysClientListResponse) []*armnetwork.NatGateway { return r.Value }), 1)
	finish[armnetwork.NatGatewaysClientDeleteResponse](l)(nat.BeginDelete(ctx, group, "nat", nil))
	finish[armnetwork.PublicIPAddressesClientDeleteResponse](l)(l.ips.BeginDelete(ctx, group, "ip", nil))

	nics := some(l, "interfaces", pages(l, l.nics.NewListAllPager(nil), func(r armnetwork.InterfacesClientListAllResponse) []*armnetwork.Interface { return r.Value }), 1)
	some(l, "interfaces of a group", pages(l, l.nics.NewListPager(group, nil), func(r armnetwork.InterfacesClientListResponse) []*armnetwork.Interface { return r.Value }), 1)
	got[armnetwork.InterfacesClientGetResponse](l)(l.nics.Get(ctx, group, *nics[0].Name, nil))
	got[armnetwork.InterfacesClientUpdateTagsResponse](l)(l.nics.UpdateTags(ctx, group, *nics[0].Name, tags, nil))
	usages := must(armnetwork.NewUsagesClient(sub, l.cred, l.opt))
	some(l, "usages", pages(l, usages.NewListPager(region, nil), func(r armnetwork.UsagesClientListResponse) []*armnetwork.Usage { return r.Value }), -1)
}

// TestSDKOnResources has the official clients make what other tests leave out of Microsoft.Resources.
func TestSDKOnResources(t *testing.T) {
	t.Parallel()
	l := newLab(t, emulator.Options{})
	ctx, sub := t.Context(), l.e.Identity().SubscriptionID
	l.network()
	id := "/subscriptions/" + sub + "/resourceGroups/" + group
	got[armresources.ResourceGroupsClientGetResponse](l)(l.groups.Get(ctx, group, nil))
	got[armresources.ResourceGroupsClientUpdateResponse](l)(l.groups.Update(ctx, group, armresources.ResourceGroupPatchable{Tags: map[string]*string{"a": new("b")}}, nil))
	some(l, "groups", pages(l, l.groups.NewListPager(nil), func(r armresources.ResourceGroupsClientListResponse) []*armresources.ResourceGroup { return r.Value }), 1)
	got[armresources.TagsClientCreateOrUpdateAtScopeResponse](l)(l.tags.CreateOrUpdateAtScope(ctx, id, armresources.TagsResource{Properties: &armresources.Tags{Tags: map[string]*string{"c": new("d")}}}, nil))
	if tags := got[armresources.TagsClientGetAtScopeResponse](l)(l.tags.GetAtScope(ctx, id, nil)); *tags.Properties.Tags["c"] != "d" || len(tags.Properties.Tags) != 1 {
		t.Errorf("tags: %v", tags.Properties.Tags)
	}
	some(l, "tag names", pages(l, l.tags.NewListPager(nil), func(r armresources.TagsClientListResponse) []*armresources.TagDetails { return r.Value }), -1)
	got[armresources.TagsClientDeleteAtScopeResponse](l)(l.tags.DeleteAtScope(ctx, id, nil))
	resources := must(armresources.NewClient(sub, l.cred, l.opt))
	some(l, "resources", pages(l, resources.NewListPager(nil), func(r armresources.ClientListResponse) []*armresources.GenericResourceExpanded { return r.Value }), -1)
	some(l, "resources of a group", pages(l, resources.NewListByResourceGroupPager(group, nil), func(r armresources.ClientListByResourceGroupResponse) []*armresources.GenericResourceExpanded {
		return r.Value
	}), -1)
	providers := must(armresources.NewProvidersClient(sub, l.cred, l.opt))
	some(l, "providers", pages(l, providers.NewListPager(nil), func(r armresources.ProvidersClientListResponse) []*armresources.Provider { return r.Value }), -1)
	got[armresources.ProvidersClientGetResponse](l)(providers.Get(ctx, "Microsoft.Storage", nil))
	got[armresources.ProvidersClientUnregisterResponse](l)(providers.Unregister(ctx, "Microsoft.Storage", nil))
	if p := got[armresources.ProvidersClientRegisterResponse](l)(providers.Register(ctx, "Microsoft.Storage", nil)); *p.RegistrationState != "Registering" {
		t.Errorf("provider: %s", *p.RegistrationState)
	}
	deployments := must(armresources.NewDeploymentsClient(sub, l.cred, l.opt))
	template := map[string]any{
		"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
		"resources": []any{map[string]any{"type": "Microsoft.Network/networkSecurityGroups", "apiVersion": "2022-07-01", "name": "deployed", "location": region, "properties": map[string]any{}}},
	}
	d := armresources.Deployment{Properties: &armresources.DeploymentProperties{Mode: new(armresources.DeploymentModeIncremental), Template: template}}
	finish[armresources.DeploymentsClientValidateResponse](l)(deployments.BeginValidate(ctx, group, "d", d, nil))
	made := finish[armresources.DeploymentsClientCreateOrUpdateResponse](l)(deployments.BeginCreateOrUpdate(ctx, group, "d", d, nil))
	if *made.Properties.ProvisioningState != armresources.ProvisioningStateSucceeded || len(made.Properties.OutputResources) != 1 {
		t.Errorf("deployment: %+v", made.Properties)
	}
	got[armresources.DeploymentsClientGetResponse](l)(deployments.Get(ctx, group, "d", nil))
	some(l, "deployments", pages(l, deployments.NewListByResourceGroupPager(group, nil), func(r armresources.DeploymentsClientListByResourceGroupResponse) []*armresources.DeploymentExtended {
		return r.Value
	}), 1)
	steps := must(armresources.NewDeploymentOperationsClient(sub, l.cred, l.opt))
	some(l, "its operations", pages(l, steps.NewListPager(group, "d", nil), func(r armresources.DeploymentOperationsClientListResponse) []*armresources.DeploymentOperation {
		return r.Value
	}), 1)
	finish[armresources.DeploymentsClientDeleteResponse](l)(deployments.BeginDelete(ctx, group, "d", nil))
}

// TestSDKOnStorage has the official clients make an NFS share.
func TestSDKOnStorage(t *testing.T) {
	t.Parallel()
	l := newLab(t, emulator.Options{})
	ctx, sub := t.Context(), l.e.Identity().SubscriptionID
	l.network()
	const account = "sdkfiles1"
	accounts := must(armstorage.NewAccountsClient(sub, l.cred, l.opt))
	name := armstorage.AccountCheckNameAvailabilityParameters{Name: new(account), Type: new("Microsoft.Storage/storageAccounts")}
	if free := got[armstorage.AccountsClientCheckNameAvailabilityResponse](l)(accounts.CheckNameAvailability(ctx, name, nil)); !*free.NameAvailable {
		t.Error("the name is taken")
	}
	made := finish[armstorage.AccountsClientCreateResponse](l)(accounts.BeginCreate(ctx, group, account, armstorage.AccountCreateParameters{
		Kind: new(armstorage.KindFileStorage), Location: new(region), SKU: &armstorage.SKU{Name: new(armstorage.SKUNamePremiumLRS)},
		Properties: &armstorage.AccountPropertiesCreateParameters{EnableHTTPSTrafficOnly: new(false)},
	}, nil))
	if *made.Properties.ProvisioningState != armstorage.ProvisioningStateSucceeded || *made.Properties.PrimaryEndpoints.File != "https://"+account+".file.core.windows.net/" {
		t.Errorf("account: %+v", made.Properties)
	}
	got[armstorage.AccountsClientGetPropertiesResponse](l)(accounts.GetProperties(ctx, group, account, nil))
	got[armstorage.AccountsClientUpdateResponse](l)(accounts.Update(ctx, group, account, armstorage.AccountUpdateParameters{Tags: map[string]*string{"a": new("b")}}, nil))
	some(l, "accounts", pages(l, accounts.NewListPager(nil), func(r armstorage.AccountsClientListResponse) []*armstorage.Account { return r.Value }), 1)
	some(l, "accounts of a group", pages(l, accounts.NewListByResourceGroupPager(group, nil), func(r armstorage.AccountsClientListByResourceGroupResponse) []*armstorage.Account { return r.Value }), 1)
	old := got[armstorage.AccountsClientListKeysResponse](l)(accounts.ListKeys(ctx, group, account, nil))
	renewed := got[armstorage.AccountsClientRegenerateKeyResponse](l)(accounts.RegenerateKey(ctx, group, account, armstorage.AccountRegenerateKeyParameters{KeyName: new("key2")}, nil))
	if *old.Keys[1].Value == *renewed.Keys[1].Value || *old.Keys[0].Value != *renewed.Keys[0].Value {
		t.Error("renewing key2 should change key2 and nothing else")
	}
	services := must(armstorage.NewFileServicesClient(sub, l.cred, l.opt))
	some(l, "file services", got[armstorage.FileServicesClientListResponse](l)(services.List(ctx, group, account, nil)).Value, 1)
	got[armstorage.FileServicesClientSetServicePropertiesResponse](l)(services.SetServiceProperties(ctx, group, account, armstorage.FileServiceProperties{FileServiceProperties: &armstorage.FileServicePropertiesProperties{
		ShareDeleteRetentionPolicy: &armstorage.DeleteRetentionPolicy{Enabled: new(false)},
	}}, nil))
	if s := got[armstorage.FileServicesClientGetServicePropertiesResponse](l)(services.GetServiceProperties(ctx, group, account, nil)); *s.FileServiceProperties.FileServiceProperties.ShareDeleteRetentionPolicy.Enabled {
		t.Error("the file service keeps deleted shares")
	}
	shares := must(armstorage.NewFileSharesClient(sub, l.cred, l.opt))
	share := armstorage.FileShare{FileShareProperties: &armstorage.FileShareProperties{EnabledProtocols: new(armstorage.EnabledProtocolsNFS), ShareQuota: new(int32(100)), RootSquash: new(armstorage.RootSquashTypeNoRootSquash)}}
	got[armstorage.FileSharesClientCreateResponse](l)(shares.Create(ctx, group, account, "home", share, nil))
	got[armstorage.FileSharesClientUpdateResponse](l)(shares.Update(ctx, group, account, "home", armstorage.FileShare{FileShareProperties: &armstorage.FileShareProperties{ShareQuota: new(int32(200))}}, nil))
	if s := got[armstorage.FileSharesClientGetResponse](l)(shares.Get(ctx, group, account, "home", nil)); *s.FileShareProperties.ShareQuota != 200 || *s.FileShareProperties.EnabledProtocols != armstorage.EnabledProtocolsNFS {
		t.Errorf("share: %+v", s.FileShareProperties)
	}
	some(l, "shares", pages(l, shares.NewListPager(group, account, nil), func(r armstorage.FileSharesClientListResponse) []*armstorage.FileShareItem { return r.Value }), 1)
	lease := &armstorage.FileSharesClientLeaseOptions{Parameters: &armstorage.LeaseShareRequest{Action: new(armstorage.LeaseShareActionAcquire), LeaseDuration: new(int32(-1))}}
	held := got[armstorage.FileSharesClientLeaseResponse](l)(shares.Lease(ctx, group, account, "home", lease))
	if _, err := shares.Delete(ctx, group, account, "home", nil); err == nil || !strings.Contains(err.Error(), "LeaseIdMissing") {
		t.Errorf("deleting a leased share: %v", err)
	}
	lease.Parameters = &armstorage.LeaseShareRequest{Action: new(armstorage.LeaseShareActionRelease), LeaseID: held.LeaseID}
	got[armstorage.FileSharesClientLeaseResponse](l)(shares.Lease(ctx, group, account, "home", lease))
	got[armstorage.FileSharesClientDeleteResponse](l)(shares.Delete(ctx, group, account, "home", nil))
	usages := must(armstorage.NewUsagesClient(sub, l.cred, l.opt))
	some(l, "usages", pages(l, usages.NewListByLocationPager(region, nil), func(r armstorage.UsagesClientListByLocationResponse) []*armstorage.Usage { return r.Value }), 1)
	got[armstorage.AccountsClientDeleteResponse](l)(accounts.Delete(ctx, group, account, nil))
	if _, err := accounts.GetProperties(ctx, group, account, nil); err == nil || !contains(err.Error(), http.StatusText(http.StatusNotFound)) && !contains(err.Error(), "ResourceNotFound") {
		t.Errorf("a deleted account: %v", err)
	}
}
