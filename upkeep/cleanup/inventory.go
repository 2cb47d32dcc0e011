package cleanup

import (
	"context"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"
	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/resourcegroup"
	"github.com/azlin-dev/azlin/cost"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm"
)

// inventory is the content of a subscription, or of a group if the caller may read no more.
type inventory struct {
	vms       []vm.Info
	disks     []*armcompute.Disk
	snapshots []*armcompute.Snapshot
	nics      []*armnetwork.Interface
	ips       []*armnetwork.PublicIPAddress
	nsgs      []*armnetwork.SecurityGroup
	listed    map[string]listed // by key of the id
	whole     bool              // it covers the whole subscription
}

// listed is a resource's entry in the list of all resources.
type listed struct {
	id      azure.ID   // in its original spelling; lists of disks return groups in capitals
	created *time.Time // nil: unknown
}

// thing is an unused resource.
type thing struct {
	kind, location, reason string
	id                     azure.ID
	tags                   map[string]string
	since                  *time.Time
	mark                   string // unchanged as long as the resource is the same and unchanged

	disk     cost.Disk
	standard bool // of a public address
	size     string
	spot     bool
}

// inventory lists everything, mostly in parallel. Because a snapshot's source may be in another group, it lists all groups,
// or only the named one if the caller may not read all.
func (c *Cleaner) inventory(ctx context.Context, group string) (*inventory, error) {
	inv, err := c.list(ctx, "", group)
	if errkind.Of(err) == errkind.Permission && group != "" {
		return c.list(ctx, group, group)
	}
	if err == nil && group != "" {
		if _, err := resourcegroup.New(c.Azure).Get(ctx, group); err != nil {
			return nil, err
		}
	}
	return inv, err
}

// list lists the resources of a group, empty: of the subscription. Creation times are read for those in named.
func (c *Cleaner) list(ctx context.Context, group, named string) (*inventory, error) {
	inv := &inventory{whole: group == ""}
	// The first request is sent alone: if Azure does not answer, that is known after its retries, not after the retries of
	// all.
	var err error
	if inv.listed, err = c.listAll(ctx, named); err != nil {
		return nil, err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		l, err := c.VMs.List(ctx, vm.ListOptions{ResourceGroup: group, All: true})
		inv.vms = l.VMs
		return err
	})
	g.Go(func() (err error) {
		inv.disks, err = c.listDisks(ctx, group)
		return err
	})
	g.Go(func() (err error) {
		inv.snapshots, err = c.listSnapshots(ctx, group)
		return err
	})
	g.Go(func() (err error) {
		inv.nics, inv.ips, inv.nsgs, err = c.listNetwork(ctx, group)
		return err
	})
	return inv, g.Wait()
}

func (c *Cleaner) listDisks(ctx context.Context, group string) ([]*armcompute.Disk, error) {
	if group == "" {
		return azure.Pages(ctx, "list disks", c.Azure.Disks().NewListPager(nil), func(p armcompute.DisksClientListResponse) []*armcompute.Disk { return p.Value })
	}
	return azure.Pages(ctx, "list disks of "+group, c.Azure.Disks().NewListByResourceGroupPager(group, nil),
		func(p armcompute.DisksClientListByResourceGroupResponse) []*armcompute.Disk { return p.Value })
}

func (c *Cleaner) listSnapshots(ctx context.Context, group string) ([]*armcompute.Snapshot, error) {
	if group == "" {
		return azure.Pages(ctx, "list snapshots", c.Azure.Snapshots().NewListPager(nil), func(p armcompute.SnapshotsClientListResponse) []*armcompute.Snapshot { return p.Value })
	}
	return azure.Pages(ctx, "list snapshots of "+group, c.Azure.Snapshots().NewListByResourceGroupPager(group, nil),
		func(p armcompute.SnapshotsClientListByResourceGroupResponse) []*armcompute.Snapshot { return p.Value })
}

func (c *Cleaner) listNetwork(ctx context.Context, group string) (nics []*armnetwork.Interface, ips []*armnetwork.PublicIPAddress, nsgs []*armnetwork.SecurityGroup, err error) {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		if group == "" {
			nics, err = azure.Pages(ctx, "list network interfaces", c.Azure.NICs().NewListAllPager(nil), func(p armnetwork.InterfacesClientListAllResponse) []*armnetwork.Interface { return p.Value })
		} else {
			nics, err = azure.Pages(ctx, "list network interfaces of "+group, c.Azure.NICs().NewListPager(group, nil), func(p armnetwork.InterfacesClientListResponse) []*armnetwork.Interface { return p.Value })
		}
		return err
	})
	g.Go(func() (err error) {
		if group == "" {
			ips, err = azure.Pages(ctx, "list public addresses", c.Azure.PublicIPs().NewListAllPager(nil), func(p armnetwork.PublicIPAddressesClientListAllResponse) []*armnetwork.PublicIPAddress {
				return p.Value
			})
		} else {
			ips, err = azure.Pages(ctx, "list public addresses of "+group, c.Azure.PublicIPs().NewListPager(group, nil), func(p armnetwork.PublicIPAddressesClientListResponse) []*armnetwork.PublicIPAddress { return p.Value })
		}
		return err
	})
	g.Go(func() (err error) {
		if group == "" {
			nsgs, err = azure.Pages(ctx, "list network security groups", c.Azure.NSGs().NewListAllPager(nil), func(p armnetwork.SecurityGroupsClientListAllResponse) []*armnetwork.SecurityGroup { return p.Value })
		} else {
			nsgs, err = azure.Pages(ctx, "list network security groups of "+group, c.Azure.NSGs().NewListPager(group, nil), func(p armnetwork.SecurityGroupsClientListResponse) []*armnetwork.SecurityGroup { return p.Value })
		}
		return err
	})
	return nics, ips, nsgs, g.Wait()
}

// listAll reads the creation time of every resource, which the lists of network resources leave out.
func (c *Cleaner) listAll(ctx context.Context, group string) (map[string]listed, error) {
	expand := "createdTime"
	var all []*armresources.GenericResourceExpanded
	var err error
	if group == "" {
		all, err = azure.Pages(ctx, "list resources", c.Azure.Resources().NewListPager(&armresources.ClientListOptions{Expand: &expand}),
			func(p armresources.ClientListResponse) []*armresources.GenericResourceExpanded { return p.Value })
	} else {
		all, err = azure.Pages(ctx, "list resources of "+group, c.Azure.Resources().NewListByResourceGroupPager(group, &armresources.ClientListByResourceGroupOptions{Expand: &expand}),
			func(p armresources.ClientListByResourceGroupResponse) []*armresources.GenericResourceExpanded {
				return p.Value
			})
	}
	found := make(map[string]listed, len(all))
	for _, r := range all {
		if id, err := azure.ParseID(val(r.ID)); err == nil {
			one := listed{id: id}
			if r.CreatedTime != nil {
				one.created = new(r.CreatedTime.UTC())
			}
			found[id.Key()] = one
		}
	}
	return found, err
}

// orphans returns the unused resources, including those that only an orphaned network interface uses.
func (inv *inventory) orphans() []thing {
	var all []thing
	for _, d := range inv.disks {
		if t, ok := unattached(d); ok {
			all = append(all, inv.spelt(t))
		}
	}
	for _, s := range inv.snapshots {
		if t, ok := inv.sourceless(s); ok {
			all = append(all, inv.spelt(t))
		}
	}
	// The lists of VMs and of interfaces were read at different moments, so an interface that a VM refers to counts as used.
	named := map[string]bool{}
	for _, i := range inv.vms {
		for _, id := range i.NICs {
			named[azure.IDKey(id)] = true
		}
	}
	spare := map[string]bool{}
	for _, n := range inv.nics {
		if t := nicThing(n); azure.NICUsedBy(n) == "" && !named[t.id.Key()] {
			spare[t.id.Key()] = true
			all = append(all, inv.dated(t))
		}
	}
	for _, ip := range inv.ips {
		t := ipThing(ip)
		if by := azure.PublicIPUsedBy(ip); by != "" {
			nic := interfaceOf(by)
			if nic == "" || !spare[azure.IDKey(nic)] {
				continue
			}
			t.reason = "only a network interface uses it that no VM uses"
		}
		all = append(all, inv.dated(t))
	}
	for _, nsg := range inv.nsgs {
		if onlySpare(nsg, spare) {
			all = append(all, inv.dated(nsgThing(nsg)))
		}
	}
	for _, i := range inv.vms {
		if i.PowerState != vm.Stopped {
			continue
		}
		if id, err := azure.ParseID(i.ID); err == nil {
			all = append(all, thing{
				kind: VM, id: id, location: i.Location, tags: i.Tags, since: i.CreatedTime, size: i.VMSize, spot: i.Spot,
				reason: "stopped, but its machine is still allocated and paid for",
			})
		}
	}
	return all
}

// onlySpare reports whether a security group protects only orphaned network interfaces.
func onlySpare(nsg *armnetwork.SecurityGroup, spare map[string]bool) bool {
	for _, by := range azure.NSGUsedBy(nsg) {
		if !spare[azure.IDKey(by)] {
			return false
		}
	}
	return true
}

// interfaceOf is the network interface that has the configuration id; empty when id is of another kind.
func interfaceOf(id string) string {
	nic, _, ok := strings.Cut(strings.ToLower(id), "/ipconfigurations/")
	if !ok || !strings.Contains(nic, "/microsoft.network/networkinterfaces/") {
		return ""
	}
	return nic
}

func val[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// Listed network resources always have an id.
func network(kind string, id, location *string, tags map[string]*string, reason string) thing {
	parsed, _ := azure.ParseID(val(id))
	return thing{kind: kind, id: parsed, location: val(location), tags: azure.Tags(tags), reason: reason}
}

func nicThing(n *armnetwork.Interface) thing {
	t := network(NIC, n.ID, n.Location, n.Tags, "no VM uses it")
	if n.Properties != nil {
		t.mark = val(n.Properties.ResourceGUID)
	}
	return t
}

func ipThing(ip *armnetwork.PublicIPAddress) thing {
	t := network(PublicIP, ip.ID, ip.Location, ip.Tags, "nothing uses it")
	if ip.Properties != nil {
		t.mark = val(ip.Properties.ResourceGUID)
	}
	t.standard = ip.SKU != nil && ip.SKU.Name != nil && *ip.SKU.Name != armnetwork.PublicIPAddressSKUNameBasic
	return t
}

func nsgThing(nsg *armnetwork.SecurityGroup) thing {
	t := network(NSG, nsg.ID, nsg.Location, nsg.Tags, "it protects nothing")
	if nsg.Properties != nil {
		t.mark = val(nsg.Properties.ResourceGUID)
	}
	return t
}

// dated adds when a resource was created: the later of Azure's time and the time in azlin's tag, which a launch updates when
// it reuses a resource.
func (inv *inventory) dated(t thing) thing {
	t.since = inv.listed[t.id.Key()].created
	if tag, tagged := azure.CreatedAt(t.tags); tagged && (t.since == nil || tag.After(*t.since)) {
		t.since = &tag
	}
	return inv.spelt(t)
}

// spelt restores the original spelling of a resource's id.
func (inv *inventory) spelt(t thing) thing {
	if l, ok := inv.listed[t.id.Key()]; ok {
		t.id = l.id
	}
	return t
}

// unattached returns a disk if it is unused. Only the state is reliable: a disk that is being copied or uploaded has another
// state.
func unattached(d *armcompute.Disk) (thing, bool) {
	id, err := azure.ParseID(val(d.ID))
	if err != nil || azure.DiskUsedBy(d) != "" || d.Properties == nil || val(d.Properties.DiskState) != armcompute.DiskStateUnattached {
		return thing{}, false
	}
	t := thing{kind: Disk, id: id, location: val(d.Location), tags: azure.Tags(d.Tags), reason: "no VM uses it", mark: val(d.Properties.UniqueID)}
	t.disk.SizeGB = int(val(d.Properties.DiskSizeGB))
	if d.SKU != nil {
		t.disk.Type = string(val(d.SKU.Name))
	}
	// A disk that was detached just now may be about to be attached to another VM.
	for _, at := range []*time.Time{d.Properties.TimeCreated, d.Properties.LastOwnershipUpdateTime} {
		if at != nil && (t.since == nil || at.After(*t.since)) {
			t.since = new(at.UTC())
		}
	}
	if d.Properties.TimeCreated == nil {
		t.since = nil
	}
	return t, true
}

// sourceless returns a snapshot whose source disk or snapshot is gone, or a temporary one. Whether the source is gone is
// known only if all groups of the subscription can be read; a source in another subscription is assumed to exist.
func (inv *inventory) sourceless(s *armcompute.Snapshot) (thing, bool) {
	id, err := azure.ParseID(val(s.ID))
	if err != nil || s.Properties == nil || s.Properties.CreationData == nil || azure.SnapshotUsedBy(s) != "" {
		return thing{}, false
	}
	t := thing{kind: Snapshot, id: id, location: val(s.Location), tags: azure.Tags(s.Tags), mark: val(s.Properties.UniqueID)}
	if s.Properties.TimeCreated != nil {
		t.since = new(s.Properties.TimeCreated.UTC())
	}
	if m, ok := vm.CopySnapshot(t.tags); ok { // it should have been deleted with its purpose
		t.reason = "a " + string(m.Kind) + " that was cut off has left it"
		return t, true
	}
	source, err := azure.ParseID(val(s.Properties.CreationData.SourceResourceID))
	if err != nil || !inv.whole || !strings.EqualFold(source.Subscription, id.Subscription) {
		return thing{}, false
	}
	if !source.IsType("Microsoft.Compute/disks") && !source.IsType("Microsoft.Compute/snapshots") {
		return thing{}, false
	}
	wasID := val(s.Properties.CreationData.SourceUniqueID)
	for _, d := range inv.disks {
		if azure.SameID(val(d.ID), source.String()) && (d.Properties == nil || same(wasID, d.Properties.UniqueID)) {
			return thing{}, false
		}
	}
	for _, other := range inv.snapshots {
		if azure.SameID(val(other.ID), source.String()) && (other.Properties == nil || same(wasID, other.Properties.UniqueID)) {
			return thing{}, false
		}
	}
	t.reason = "its source " + source.Name() + " is gone"
	return t, true
}

// same reports whether a source is the one from which the snapshot was taken: a disk may have been deleted and created again
// under its name.
func same(was string, is *string) bool {
	return was == "" || val(is) == "" || strings.EqualFold(was, *is)
}
