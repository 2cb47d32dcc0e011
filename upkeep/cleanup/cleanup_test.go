package cleanup_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/bastion"
	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/emulator/fault"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/network"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/upkeep/cleanup"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/disk"
	"github.com/azlin-dev/azlin/vm/provision"
)

// anything asks for whatever nobody uses, whoever made it and whenever.
var anything = cleanup.FindOptions{OlderThan: -1, All: true}

// TestTrapsAreNoOrphans makes what looks unused at first sight and is not.
func TestTrapsAreNoOrphans(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		ctx := t.Context()
		dev := l.launch("dev")
		off := l.launch("off")
		if _, err := l.vms.Stop(ctx, vm.Ref{ResourceGroup: group, Name: "off"}, vm.PowerOptions{}); err != nil {
			t.Fatal(err)
		}

		nat := l.ip("nat-ip")
		gateway := done(l, func(ctx context.Context) (*runtime.Poller[armnetwork.NatGatewaysClientCreateOrUpdateResponse], error) {
			return l.c.NATGateways().BeginCreateOrUpdate(ctx, group, "nat", armnetwork.NatGateway{
				Location: new(region), Tags: mine(), SKU: &armnetwork.NatGatewaySKU{Name: new(armnetwork.NatGatewaySKUNameStandard)},
				Properties: &armnetwork.NatGatewayPropertiesFormat{PublicIPAddresses: []*armnetwork.SubResource{{ID: nat.ID}}},
			}, nil)
		})
		guard := l.nsg("guards-a-subnet")
		base := strings.Split(networkOf(t, l), ".")
		prefix := base[0] + "." + base[1] + ".200.0/24"
		subnet := l.subnet("guarded", prefix, armnetwork.SubnetPropertiesFormat{
			NetworkSecurityGroup: &armnetwork.SecurityGroup{ID: guard.ID}, NatGateway: &armnetwork.SubResource{ID: gateway.ID},
		})

		front := l.ip("lb-ip")
		l.put("Microsoft.Network/loadBalancers/lb", map[string]any{"sku": map[string]any{"name": "Standard"}, "properties": map[string]any{
			"frontendIPConfigurations": []any{map[string]any{"name": "fe", "properties": map[string]any{"publicIPAddress": map[string]any{"id": *front.ID}}}},
		}})
		l.put("Microsoft.Network/privateEndpoints/pe", map[string]any{"properties": map[string]any{
			"subnet": map[string]any{"id": subnet}, "customNetworkInterfaceName": "pe-nic",
			"privateLinkServiceConnections": []any{map[string]any{"name": "c", "properties": map[string]any{"privateLinkServiceId": dev.ID, "groupIds": []any{"file"}}}},
		}})
		bastions, err := bastion.New(l.c, bastion.Options{HTTP: l.Emulator.Client()})
		if err != nil {
			t.Fatal(err)
		}
		plan, err := bastions.PlanCreate(ctx, bastion.CreateOptions{VNet: dev.Subnet[:strings.Index(dev.Subnet, "/subnets/")], SKU: bastion.Standard, Name: "hub"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bastions.Create(ctx, plan, nil); err != nil {
			t.Fatal(err)
		}

		l.disk("exported", 32)
		l.snapshot("of-exported", *l.disk("alive", 32).ID)
		l.snapshot("of-an-os-disk", dev.Disks[0])
		l.snapshot("of-a-deallocated", off.Disks[0])
		l.access("exported")
		time.Sleep(48 * time.Hour)

		// "alive" itself is unattached, so it is an orphan; its snapshot is not.
		f, err := l.cleaner().FindOrphanedResources(ctx, "", anything)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"disk alive"}, found(f)); diff != "" {
			t.Errorf("orphans (-want +got):\n%s", diff)
		}
		before := l.Resources()
		sum, err := l.cleaner().CleanupOrphanedResources(ctx, group, cleanup.Options{FindOptions: anything, Force: true})
		if err != nil || sum.TotalDeleted != 1 || sum.Err() != nil {
			t.Errorf("%+v, %v", sum, err)
		}
		before["Microsoft.Compute/disks"]--
		if diff := cmp.Diff(before, l.Resources()); diff != "" {
			t.Error(diff)
		}
	})
}

// networkOf is the address space of the shared network.
func networkOf(t *testing.T, l *lab) string {
	t.Helper()
	net, err := l.c.VNets().Get(t.Context(), group, network.VNetName(region), nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := netip.ParsePrefix(*net.Properties.AddressSpace.AddressPrefixes[0])
	if err != nil {
		t.Fatal(err)
	}
	return p.Addr().String()
}

// TestALaunchAtWorkIsNoOrphan cuts a launch off at each request: what it has made so far stays as long as it may still
// be at work, and as long as somebody can go on with it; afterwards it is found.
func TestALaunchAtWorkIsNoOrphan(t *testing.T) {
	t.Parallel()
	cuts, orphans := 0, 0
	do := func(t *testing.T, c *azure.Client) error {
		t.Helper()
		_, err := provision.New(c, provision.Options{}).Provision(t.Context(), config("dev"), nil)
		return err
	}
	local.AtEveryRequest(t, nil, do, func(t *testing.T, a *local.Azure) {
		t.Helper()
		l := labOn(t, a)
		f, err := l.cleaner().FindOrphanedResources(t.Context(), "", cleanup.FindOptions{OlderThan: -1})
		if err != nil || len(f.Orphans) > 0 {
			t.Fatalf("right after it: %v, %v", found(f), err)
		}
		time.Sleep(2 * time.Hour)
		op := change.Make(change.New, l.c.SubscriptionID(), group, "dev", time.Now())
		op.ID = "op-dev"
		store := change.Store{Dir: t.TempDir()}
		if err := store.Save(op, time.Now()); err != nil {
			t.Fatal(err)
		}
		here := l.cleaner()
		here.Operations = store
		if f, err := here.FindOrphanedResources(t.Context(), "", cleanup.FindOptions{}); err != nil || len(f.Orphans) > 0 {
			t.Fatalf("on the machine that can go on: %v, %v", found(f), err)
		}
		f, err = l.cleaner().FindOrphanedResources(t.Context(), "", cleanup.FindOptions{})
		if err != nil {
			t.Fatal(err)
		}
		cuts++
		orphans += len(f.Orphans)
		vms, err := l.vms.List(t.Context(), vm.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if len(vms.VMs) > 0 && len(f.Orphans) > 0 {
			t.Errorf("of a VM that is there: %v", found(f))
		}
		sum, err := l.cleaner().CleanupOrphanedResources(t.Context(), "", cleanup.Options{Force: true})
		if err != nil || sum.Err() != nil {
			t.Fatal(err, sum.Err())
		}
		if rest := l.rest(); len(vms.VMs) == 0 && len(rest) > 0 {
			t.Errorf("left over: %v", rest)
		}
	})
	if orphans < cuts/3 {
		t.Errorf("%d orphans after %d cuts", orphans, cuts)
	}
}

func TestFindAndDelete(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		ctx := t.Context()
		dev := l.launch("dev")
		if _, err := l.vms.Stop(ctx, vm.Ref{ResourceGroup: group, Name: "dev"}, vm.PowerOptions{KeepAllocation: true}); err != nil {
			t.Fatal(err)
		}
		l.orphans(dev.Subnet)
		l.disk("young", 32)
		foreign := l.disk("foreign", 32)
		if err := l.c.DeleteTags(ctx, *foreign.ID, azure.TagManagedBy); err != nil {
			t.Fatal(err)
		}
		want := []string{"disk spare", "snapshot of-gone", "public-ip lonely-ip", "public-ip spare-ip", "nic spare-nic", "nsg lonely-nsg", "nsg spare-nsg", "vm dev"}
		f, err := l.cleaner().FindOrphanedResources(ctx, group, cleanup.FindOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(append([]string{}, want...), found(f)); diff != "" {
			t.Errorf("orphans (-want +got):\n%s", diff)
		}
		costs := map[string]string{}
		for _, o := range f.Orphans {
			costs[o.ResourceName] = "-"
			if o.EstimatedCostMonthly != nil {
				costs[o.ResourceName] = o.EstimatedCostMonthly.Cents()
			}
			if o.ResourceGroup != group || o.Location != region || !o.Managed || o.Since == nil || o.Reason == "" || !strings.HasSuffix(o.ResourceID, "/"+o.ResourceName) {
				t.Errorf("%+v", o)
			}
		}
		if costs["spare"] == "-" || costs["lonely-ip"] != "3.65 USD" || costs["spare-nic"] != "0.00 USD" || costs["of-gone"] != "-" || costs["dev"] == "-" {
			t.Errorf("costs %v", costs)
		}
		var kept []string
		for _, k := range f.Kept {
			kept = append(kept, k.ResourceName+": "+k.Reason)
		}
		if diff := cmp.Diff([]string{"foreign: azlin did not make it", "young: it was made or used less than a minute ago"}, kept); diff != "" {
			t.Errorf("kept (-want +got):\n%s", diff)
		}
		if _, err := l.cleaner().FindOrphanedResources(ctx, "nosuch", cleanup.FindOptions{}); errkind.Of(err) != errkind.NotFound || !errors.Is(err, cleanup.ErrCleanup) {
			t.Errorf("a group that is not there: %v", err)
		}
		if old, err := l.cleaner().FindOrphanedResources(ctx, group, cleanup.FindOptions{OlderThan: 24 * time.Hour}); err != nil || len(old.Orphans) != 1 {
			t.Errorf("older than a day: %v, %v", found(old), err)
		}

		before := l.Resources()
		if _, err := l.cleaner().CleanupOrphanedResources(ctx, group, cleanup.Options{}); errkind.Of(err) != errkind.Invalid {
			t.Errorf("without anybody to ask: %v", err)
		}
		no := errors.New("no")
		if _, err := l.cleaner().CleanupOrphanedResources(ctx, group, cleanup.Options{Confirm: func(context.Context, cleanup.Summary) error { return no }}); !errors.Is(err, no) {
			t.Errorf("declined: %v", err)
		}
		dry, err := l.cleaner().CleanupOrphanedResources(ctx, group, cleanup.Options{DryRun: true})
		if err != nil || dry.TotalFound != 8 || dry.TotalDeleted != 0 || dry.EstimatedSavingsMonthly == nil || dry.UnknownCosts != 1 {
			t.Errorf("dry: %+v, %v", dry, err)
		}
		if diff := cmp.Diff(before, l.Resources()); diff != "" {
			t.Errorf("something was changed:\n%s", diff)
		}
		sum, err := l.cleaner().CleanupOrphanedResources(ctx, group, cleanup.Options{Force: true})
		if err != nil || sum.Err() != nil || sum.TotalFound != 8 || sum.TotalDeleted != 7 || sum.TotalFailed != 0 || !sum.EstimatedSavingsMonthly.Amount.Equal(dry.EstimatedSavingsMonthly.Amount) {
			t.Errorf("%+v, %v", sum, err)
		}
		if diff := cmp.Diff(map[string]int{
			"Microsoft.Compute/virtualMachines": 1, "Microsoft.Compute/disks": 3, "Microsoft.Network/networkInterfaces": 1,
			"Microsoft.Network/publicIPAddresses": 1, "Microsoft.Network/networkSecurityGroups": 1,
		}, l.rest()); diff != "" {
			t.Errorf("left (-want +got):\n%s", diff)
		}
	})
}

// TestRequestsAreConstant lists many and few resources with as many requests.
func TestRequestsAreConstant(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		l.launch("dev")
		l.disk("first", 32)
		requests := func() int {
			t.Helper()
			c := l.cleaner()
			f, err := c.FindOrphanedResources(t.Context(), group, anything)
			if err != nil || len(f.Orphans) == 0 {
				t.Fatal(found(f), err)
			}
			return c.Azure.Requests()
		}
		few := requests()
		for n := range 60 {
			l.disk(fmt.Sprintf("d%d", n), 32)
			l.ip(fmt.Sprintf("i%d", n))
		}
		if many := requests(); many != few || few > 12 {
			t.Errorf("%d requests for few resources, %d for many", few, many)
		}
	})
}

// TestSomeFail deletes what can be, and says what is left over.
func TestSomeFail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		dev := l.launch("dev")
		l.orphans(dev.Subnet)
		disk, err := l.c.Disks().Get(t.Context(), group, "spare", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.c.Do(t.Context(), "PUT", *disk.ID+"/providers/Microsoft.Authorization/locks/hands-off", "2016-09-01", map[string]any{"properties": map[string]any{"level": "CanNotDelete"}}); err != nil {
			t.Fatal(err)
		}
		sum, err := l.cleaner().CleanupOrphanedResources(t.Context(), "", cleanup.Options{Force: true})
		if errkind.Of(err) != errkind.Partial {
			t.Fatal(err)
		}
		e, ok := errors.AsType[*errkind.Error](sum.Err())
		if !ok || e.Kind != errkind.Partial || !errors.Is(e, cleanup.ErrCleanup) || len(e.LeftOver) != 1 || e.LeftOver[0] != *disk.ID || !strings.Contains(e.Error(), "hands-off") || sum.TotalFailed != 1 || sum.TotalDeleted != 6 {
			t.Errorf("%+v, %v", sum, sum.Err())
		}
	})
}

// TestWhoMayReadOneGroup finds what is certain there: whether a snapshot's source is gone is not.
func TestWhoMayReadOneGroup(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		dev := l.launch("dev")
		l.orphans(dev.Subnet)
		f, err := l.cleaner(onlyGroups).FindOrphanedResources(t.Context(), group, cleanup.FindOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"disk spare", "public-ip lonely-ip", "public-ip spare-ip", "nic spare-nic", "nsg lonely-nsg", "nsg spare-nsg"}, found(f)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if _, err := l.cleaner(onlyGroups).FindOrphanedResources(t.Context(), "", cleanup.FindOptions{}); errkind.Of(err) != errkind.Permission {
			t.Errorf("all groups: %v", err)
		}
	})
}

// TestCleanupGoesOnAfterAnyKill kills a cleanup before and after each of its requests. The next one deletes the rest, and
// nothing else.
func TestCleanupGoesOnAfterAnyKill(t *testing.T) {
	t.Parallel()
	prepare := func(t *testing.T, a *local.Azure) {
		t.Helper()
		l := labOn(t, a)
		l.orphans(l.launch("dev").Subnet)
		l.snapshot("of-dev", mustVM(l, "dev").Disks[0])
	}
	clean := func(t *testing.T, a *local.Azure, c *azure.Client) error {
		t.Helper()
		sum, err := cleanerOf(a, c).CleanupOrphanedResources(t.Context(), group, cleanup.Options{Force: true})
		if err == nil {
			err = sum.Err()
		}
		return err
	}
	var of *local.Azure
	local.AtEveryRequest(t, func(t *testing.T, a *local.Azure) { of = a; prepare(t, a) }, //nolint:thelper // it is one line
		func(t *testing.T, c *azure.Client) error { t.Helper(); return clean(t, of, c) },
		func(t *testing.T, a *local.Azure) {
			t.Helper()
			if err := clean(t, a, a.Client()); err != nil {
				t.Fatal(err)
			}
			l := labOn(t, a)
			if diff := cmp.Diff(map[string]int{
				"Microsoft.Compute/virtualMachines": 1, "Microsoft.Compute/disks": 1, "Microsoft.Compute/snapshots": 1, "Microsoft.Network/networkInterfaces": 1,
				"Microsoft.Network/publicIPAddresses": 1, "Microsoft.Network/networkSecurityGroups": 1,
			}, l.rest()); diff != "" {
				t.Errorf("left (-want +got):\n%s", diff)
			}
			if i := mustVM(l, "dev"); !i.IsRunning() || i.PublicIP == "" {
				t.Errorf("%+v", i)
			}
		})
}

func mustVM(l *lab, name string) vm.Info {
	l.Helper()
	i, err := l.vms.Get(l.Context(), vm.Ref{ResourceGroup: group, Name: name})
	if err != nil {
		l.Fatal(err)
	}
	return i
}

// TestAzureIsSilent gives up as soon as one request has been repeated often enough, whatever the answer that is none.
func TestAzureIsSilent(t *testing.T) {
	t.Parallel()
	for effect, kind := range map[fault.Effect]errkind.Kind{fault.Error503: errkind.Unreachable, fault.Throttle: errkind.Throttled} {
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t)
			l.launch("dev")
			if _, err := l.Emulator.AddFault(fault.Rule{Effect: effect, Path: "/subscriptions/*", Delay: 50 * time.Millisecond}); err != nil {
				t.Fatal(err)
			}
			began, c := time.Now(), l.cleaner()
			_, err := c.FindOrphanedResources(t.Context(), group, anything)
			if took := time.Since(began); errkind.Of(err) != kind || took > 12*time.Second || c.Azure.Requests() > 6 {
				t.Errorf("%s: after %s and %d requests: %v", effect, took, c.Azure.Requests(), err)
			}
		})
	}
}

// TestSnapshotsOfCopies finds the snapshots that a clone or a bake has left which was cut off, although their source is
// there, but not while somebody makes a VM of them.
func TestSnapshotsOfCopies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		dev := l.launch("dev")
		for _, operation := range []string{"bake:0123456789:snapshot", "clone:9876543210:snapshot"} {
			if _, err := disk.New(l.c).EnsureSnapshot(t.Context(), disk.Snapshot{
				Name: strings.ReplaceAll(operation, ":", "-"), ResourceGroup: group, Region: region, Disk: dev.Disks[0], Operation: operation,
			}); err != nil {
				t.Fatal(err)
			}
		}
		find := func(want ...string) {
			t.Helper()
			f, err := l.cleaner().FindOrphanedResources(t.Context(), group, cleanup.FindOptions{OlderThan: -1})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(append([]string{}, want...), found(f)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
		find()
		time.Sleep(2 * time.Hour)
		builder := config("base-bake-0123456789")
		builder.OperationID = change.CopyID(change.Bake, "0123456789")
		if _, err := provision.New(l.c, provision.Options{}).Provision(t.Context(), builder, nil); err != nil {
			t.Fatal(err)
		}
		find("snapshot clone-9876543210-snapshot")
		if _, err := l.vms.Delete(t.Context(), vm.Ref{ResourceGroup: group, Name: builder.Name}, vm.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		find("snapshot bake-0123456789-snapshot", "snapshot clone-9876543210-snapshot")
		sum, err := l.cleaner().CleanupOrphanedResources(t.Context(), group, cleanup.Options{Force: true})
		if err != nil || sum.Err() != nil || sum.TotalDeleted != 2 {
			t.Errorf("%+v, %v", sum, err)
		}
	})
}
