package cleanup_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	labs "github.com/azlin-dev/azlin/test/local/lab"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/cost"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/network"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/upkeep/cleanup"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/provision"
)

const (
	group  = "azlin-rg"
	region = "westus2"
)

// lab is a local Azure and somebody who makes things in it.
type lab struct {
	*testing.T
	*local.Azure

	c   *azure.Client
	vms *vm.Service
}

func newLab(t *testing.T) *lab {
	t.Helper()
	return labOn(t, local.New(t, emulator.Options{}))
}

func labOn(t *testing.T, a *local.Azure) *lab {
	t.Helper()
	l := &lab{T: t, Azure: a, c: a.Client()}
	l.vms = vm.New(l.c, vm.Options{})
	return l
}

// cleaner is what a new process has.
func (l *lab) cleaner(change ...func(*azure.Options)) *cleanup.Cleaner {
	l.Helper()
	return cleanerOf(l.Azure, l.Client(change...))
}

func cleanerOf(a *local.Azure, c *azure.Client) *cleanup.Cleaner {
	return &cleanup.Cleaner{
		Azure: c, VMs: vm.New(c, vm.Options{}), Provisioner: provision.New(c, provision.Options{}),
		Prices: cost.New(cost.Options{Endpoint: "https://azure.test/api/retail/prices", HTTP: a.Emulator.Client()}),
	}
}

func (l *lab) launch(name string) vm.Info {
	l.Helper()
	_, err := provision.New(l.c, provision.Options{}).Provision(l.Context(), config(name), nil)
	if err != nil {
		l.Fatal(err)
	}
	i, err := l.vms.Get(l.Context(), vm.Ref{ResourceGroup: group, Name: name})
	if err != nil {
		l.Fatal(err)
	}
	return i
}

func config(name string) provision.Config { return labs.Config(name) }

// done runs an operation to its end.
func done[T any](l *lab, begin func(context.Context) (*runtime.Poller[T], error)) T {
	l.Helper()
	r, err := azure.Run(l.Context(), l.c, "prepare", "", begin)
	if err != nil {
		l.Fatal(err)
	}
	return r
}

// mine are the tags of what azlin makes.
func mine() map[string]*string { return map[string]*string{azure.TagManagedBy: new(azure.ManagedBy)} }

func (l *lab) ip(name string) *armnetwork.PublicIPAddress {
	l.Helper()
	r := done(l, func(ctx context.Context) (*runtime.Poller[armnetwork.PublicIPAddressesClientCreateOrUpdateResponse], error) {
		return l.c.PublicIPs().BeginCreateOrUpdate(ctx, group, name, armnetwork.PublicIPAddress{
			Location: new(region), Tags: mine(), SKU: &armnetwork.PublicIPAddressSKU{Name: new(armnetwork.PublicIPAddressSKUNameStandard)},
			Properties: &armnetwork.PublicIPAddressPropertiesFormat{PublicIPAllocationMethod: new(armnetwork.IPAllocationMethodStatic)},
		}, nil)
	})
	return &r.PublicIPAddress
}

func (l *lab) disk(name string, gb int32) *armcompute.Disk {
	l.Helper()
	r := done(l, func(ctx context.Context) (*runtime.Poller[armcompute.DisksClientCreateOrUpdateResponse], error) {
		return l.c.Disks().BeginCreateOrUpdate(ctx, group, name, armcompute.Disk{
			Location: new(region), Tags: mine(), SKU: &armcompute.DiskSKU{Name: new(armcompute.DiskStorageAccountTypesPremiumLRS)},
			Properties: &armcompute.DiskProperties{CreationData: &armcompute.CreationData{CreateOption: new(armcompute.DiskCreateOptionEmpty)}, DiskSizeGB: &gb},
		}, nil)
	})
	return &r.Disk
}

func (l *lab) deleteDisk(name string) {
	l.Helper()
	done(l, func(ctx context.Context) (*runtime.Poller[armcompute.DisksClientDeleteResponse], error) {
		return l.c.Disks().BeginDelete(ctx, group, name, nil)
	})
}

func (l *lab) snapshot(name, source string) {
	l.Helper()
	done(l, func(ctx context.Context) (*runtime.Poller[armcompute.SnapshotsClientCreateOrUpdateResponse], error) {
		return l.c.Snapshots().BeginCreateOrUpdate(ctx, group, name, armcompute.Snapshot{
			Location: new(region), Tags: mine(),
			Properties: &armcompute.SnapshotProperties{CreationData: &armcompute.CreationData{CreateOption: new(armcompute.DiskCreateOptionCopy), SourceResourceID: &source}},
		}, nil)
	})
}

func (l *lab) nsg(name string) *armnetwork.SecurityGroup {
	l.Helper()
	r := done(l, func(ctx context.Context) (*runtime.Poller[armnetwork.SecurityGroupsClientCreateOrUpdateResponse], error) {
		return l.c.NSGs().BeginCreateOrUpdate(ctx, group, name, armnetwork.SecurityGroup{Location: new(region), Tags: mine()}, nil)
	})
	return &r.SecurityGroup
}

// nic makes a network interface in the shared network, with what is given.
func (l *lab) nic(name, subnet string, ip *armnetwork.PublicIPAddress, nsg *armnetwork.SecurityGroup) *armnetwork.Interface {
	l.Helper()
	c := &armnetwork.InterfaceIPConfigurationPropertiesFormat{Subnet: &armnetwork.Subnet{ID: &subnet}}
	if ip != nil {
		c.PublicIPAddress = &armnetwork.PublicIPAddress{ID: ip.ID}
	}
	p := &armnetwork.InterfacePropertiesFormat{IPConfigurations: []*armnetwork.InterfaceIPConfiguration{{Name: new("c"), Properties: c}}}
	if nsg != nil {
		p.NetworkSecurityGroup = &armnetwork.SecurityGroup{ID: nsg.ID}
	}
	r := done(l, func(ctx context.Context) (*runtime.Poller[armnetwork.InterfacesClientCreateOrUpdateResponse], error) {
		return l.c.NICs().BeginCreateOrUpdate(ctx, group, name, armnetwork.Interface{Location: new(region), Tags: mine(), Properties: p}, nil)
	})
	return &r.Interface
}

// subnet puts a subnet into the shared network.
func (l *lab) subnet(name, prefix string, p armnetwork.SubnetPropertiesFormat) string {
	l.Helper()
	p.AddressPrefix = &prefix
	r := done(l, func(ctx context.Context) (*runtime.Poller[armnetwork.SubnetsClientCreateOrUpdateResponse], error) {
		return l.c.Subnets().BeginCreateOrUpdate(ctx, group, network.VNetName(region), name, armnetwork.Subnet{Properties: &p}, nil)
	})
	return *r.ID
}

func (l *lab) access(disk string) {
	l.Helper()
	done(l, func(ctx context.Context) (*runtime.Poller[armcompute.DisksClientGrantAccessResponse], error) {
		return l.c.Disks().BeginGrantAccess(ctx, group, disk, armcompute.GrantAccessData{Access: new(armcompute.AccessLevelRead), DurationInSeconds: new(int32(3600))}, nil)
	})
}

// orphans makes one of each, beside a VM that is used; it needs a network. Two hours later they are what they are.
func (l *lab) orphans(subnet string) {
	l.Helper()
	l.disk("spare", 128)
	gone := l.disk("gone", 32)
	l.snapshot("of-gone", *gone.ID)
	l.deleteDisk("gone")
	l.ip("lonely-ip")
	l.nsg("lonely-nsg")
	l.nic("spare-nic", subnet, l.ip("spare-ip"), l.nsg("spare-nsg"))
	time.Sleep(2 * time.Hour)
}

// found are the orphans as "type name", sorted by type.
func found(f cleanup.Findings) []string {
	all := []string{}
	for _, o := range f.Orphans {
		all = append(all, o.ResourceType+" "+o.ResourceName)
	}
	return all
}

// rest are the numbers of resources without the shared network.
func (l *lab) rest() map[string]int {
	all := l.Resources()
	for kind := range all {
		if strings.HasSuffix(kind, "/virtualNetworks") || strings.HasSuffix(kind, "/resourceGroups") {
			delete(all, kind)
		}
	}
	return all
}

// put makes a resource of a type that azlin has no client for, in the group and tagged as azlin's.
func (l *lab) put(typeAndName string, body map[string]any) {
	l.Helper()
	body["location"], body["tags"] = region, map[string]any{azure.TagManagedBy: azure.ManagedBy}
	path := "/subscriptions/" + l.c.SubscriptionID() + "/resourceGroups/" + group + "/providers/" + typeAndName
	if _, err := l.c.Do(l.Context(), http.MethodPut, path, "2024-05-01", body); err != nil {
		l.Fatal(err)
	}
	time.Sleep(time.Minute)
}

// onlyGroups is somebody who may read groups, and not the subscription.
func onlyGroups(o *azure.Options) {
	o.HTTP = &http.Client{Transport: local.Tap{RoundTripper: o.HTTP.Transport, Afterwards: func(r *http.Request, resp *http.Response) error {
		if r.Method != http.MethodGet || strings.Contains(strings.ToLower(r.URL.Path), "/resourcegroups/") || !strings.Contains(r.URL.Path, "/subscriptions/") {
			return nil
		}
		return local.Forbid(resp)
	}}}
}
