// Package cleanup finds resources that cost money and that nobody uses any more, and deletes them.
// Whether something is used is decided by the same functions as in the deletion of a VM (azure.DiskUsedBy and similar). It
// keeps what azlin did not create, recent resources, what an unfinished operation may need, and every doubtful case.
package cleanup

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/cost"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/provision"
)

// ErrCleanup is the class of this package's failures, for errors.Is. errkind.Of gives their kind.
var ErrCleanup = errors.New("resource cleanup failed")

// Cleaner finds and deletes the orphans of one subscription.
type Cleaner struct {
	Azure       *azure.Client
	VMs         *vm.Service
	Provisioner *provision.Service
	Prices      *cost.Prices // nil: costs are unknown
	Operations  change.Store // this machine's unfinished launches, whose resources are kept
}

// DefaultAge is how long a resource must be unused: as long as a launch may wait for Azure. Until its VM exists, a launch's
// resources look like orphans.
const DefaultAge = azure.DefaultPatience

// FindOptions select orphans. The zero value selects azlin's own, older than DefaultAge.
type FindOptions struct {
	OlderThan time.Duration // zero: DefaultAge; negative: of any age
	All       bool          // also those azlin did not create
}

func (o FindOptions) age() time.Duration { return max(0, cmp.Or(o.OlderThan, DefaultAge)) }

// The types of orphans. A stopped VM is reported, because it is still billed, but never deleted.
const (
	Disk     = "disk"
	NIC      = "nic"
	PublicIP = "public-ip"
	NSG      = "nsg"
	Snapshot = "snapshot"
	VM       = "vm"
)

// OrphanedResource is an unused resource that costs money or blocks something.
type OrphanedResource struct {
	ResourceType         string      `json:"resource_type"` // "disk", "nic", "public-ip", "nsg", "snapshot" or "vm"
	ResourceName         string      `json:"resource_name"`
	ResourceID           string      `json:"resource_id"`
	EstimatedCostMonthly *cost.Money `json:"price_monthly"` // list price; nil: unknown

	ResourceGroup string     `json:"resource_group"`
	Location      string     `json:"location"`
	Reason        string     `json:"reason"`
	Since         *time.Time `json:"since"`   // UTC: when it was created, or last used; nil: unknown
	Managed       bool       `json:"managed"` // azlin created it

	found thing
}

// Kept is an unused resource that is kept.
type Kept struct {
	ResourceType string `json:"resource_type"`
	ResourceName string `json:"resource_name"`
	ResourceID   string `json:"resource_id"`
	Reason       string `json:"reason"`
}

// Findings are the result of a search in a group or a subscription.
type Findings struct {
	Orphans []OrphanedResource
	Kept    []Kept // unused resources that are kept: recent, not azlin's, or part of an unfinished operation
}

// FindOrphanedResources finds the orphans of a resource group; empty: of the subscription. The number of requests does not
// depend on the number of resources (plus one per further page); it also requests prices. A group that does not exist is
// NotFound. Errors are ErrCleanup.
func (c *Cleaner) FindOrphanedResources(ctx context.Context, group string, o FindOptions) (Findings, error) {
	inv, err := c.inventory(ctx, group)
	if err != nil {
		return Findings{}, failed("find orphans", group, err)
	}
	unfinished, err := c.unfinished(inv)
	if err != nil {
		return Findings{}, failed("find orphans", group, err)
	}
	f := Findings{Orphans: []OrphanedResource{}}
	now := c.Azure.Clock().Now()
	for _, t := range inv.orphans() {
		if group != "" && !strings.EqualFold(t.id.ResourceGroup, group) {
			continue
		}
		if why := keep(t, o, now, unfinished); why != "" {
			f.Kept = append(f.Kept, Kept{t.kind, t.id.Name(), t.id.String(), why})
			continue
		}
		f.Orphans = append(f.Orphans, OrphanedResource{
			ResourceType: t.kind, ResourceName: t.id.Name(), ResourceID: t.id.String(), ResourceGroup: t.id.ResourceGroup,
			Location: t.location, Reason: t.reason, Since: t.since, Managed: azure.Managed(t.tags), found: t,
		})
	}
	c.price(ctx, f.Orphans)
	slices.SortStableFunc(f.Orphans, func(a, b OrphanedResource) int {
		return cmp.Or(order(a.ResourceType)-order(b.ResourceType), cmp.Compare(a.ResourceGroup, b.ResourceGroup), cmp.Compare(a.ResourceName, b.ResourceName))
	})
	return f, nil
}

func order(kind string) int {
	return slices.Index([]string{Disk, Snapshot, PublicIP, NIC, NSG, VM}, kind)
}

func failed(op, group string, err error) error {
	return &errkind.Error{Kind: errkind.Of(err), Op: op, Resource: group, Class: ErrCleanup, Err: err}
}

// NotManaged is the reason to keep a resource that azlin did not create; see FindOptions.All.
const NotManaged = "azlin did not make it"

// keep returns the reason to keep an unused resource; empty: none.
func keep(t thing, o FindOptions, now time.Time, unfinished map[string]string) string {
	id := operationOf(t.tags)
	switch {
	case !azure.Managed(t.tags) && !o.All:
		return NotManaged
	case t.kind == VM:
		return ""
	case unfinished[id] != "":
		return unfinished[id]
	case t.since == nil:
		return "when it was made is not known"
	}
	if age := now.Sub(*t.since); age < o.age() {
		return "it was made or used " + ago(age)
	} else if id != "" && age < DefaultAge {
		return "it was made " + ago(age) + " by an operation that may still be at work"
	}
	return ""
}

func ago(age time.Duration) string {
	if age < time.Minute {
		return "less than a minute ago"
	}
	return strings.TrimSuffix(age.Truncate(time.Minute).String(), "0s") + " ago"
}

// operationOf is the id of the operation in these tags; empty: none.
func operationOf(tags map[string]string) string {
	tag, _ := azure.Tag(tags, azure.TagOperation)
	m, _ := change.ParseMark(tag)
	return m.Operation()
}

// unfinished returns the operations that may be resumed, by id, with the next step: launches recorded on this machine, and
// those whose VM exists and is not finished.
func (c *Cleaner) unfinished(inv *inventory) (map[string]string, error) {
	all := map[string]string{}
	local, err := c.Operations.List()
	if err != nil {
		return nil, err
	}
	for _, op := range local {
		if !strings.EqualFold(op.Subscription, c.Azure.SubscriptionID()) {
			continue
		}
		all[op.ID] = "it belongs to operation " + op.ID + " (" + string(op.Kind) + "), which is not finished"
		if op.Kind == change.New {
			all[op.ID] = "it belongs to the unfinished launch of " + op.Name + " in " + op.Group
		}
	}
	for _, i := range inv.vms {
		if id := operationOf(i.Tags); id != "" && !i.Finished() {
			all[id] = "it belongs to vm " + i.Name + ", which is not finished"
		}
	}
	return all, nil
}

// pricesAtOnce limits simultaneous price requests; most prices come from the day's cache.
const pricesAtOnce = 8

// price fills in what the orphans cost per month. It sends one price request per type of disk and region.
func (c *Cleaner) price(ctx context.Context, orphans []OrphanedResource) {
	var asking errgroup.Group
	asking.SetLimit(pricesAtOnce)
	for n := range orphans {
		asking.Go(func() error {
			orphans[n].EstimatedCostMonthly = c.priceOf(ctx, orphans[n].found)
			return nil
		})
	}
	_ = asking.Wait() // none returns an error
}

func (c *Cleaner) priceOf(ctx context.Context, t thing) *cost.Money {
	if c.Prices == nil {
		return nil
	}
	switch t.kind {
	case NIC, NSG: // free in Azure
		free := c.Prices.Nothing()
		return &free
	case Disk:
		return c.Prices.Disk(ctx, t.location, t.disk).Money
	case PublicIP:
		if !t.standard {
			return nil // a Basic address, which is no longer sold
		}
		if hourly := c.Prices.PublicIP(ctx, t.location).Money; hourly != nil {
			return new(hourly.PerMonth())
		}
	case VM:
		price := c.Prices.VMs(ctx, t.location, t.size).Sizes[t.size]
		hourly := price.OnDemand
		if t.spot {
			hourly = price.Spot
		}
		if hourly != nil {
			return new(hourly.PerMonth())
		}
	}
	return nil // a snapshot is billed by its content, whose size Azure does not report
}
