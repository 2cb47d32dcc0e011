package cleanup

import (
	"context"
	"errors"
	"slices"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/pacing"
	"github.com/azlin-dev/azlin/azure/teardown"
	"github.com/azlin-dev/azlin/cost"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm"
)

// Options of CleanupOrphanedResources. The zero value would delete without asking, so it is refused: set Force or Confirm.
type Options struct {
	FindOptions

	DryRun  bool                                          // only report what would be deleted
	Force   bool                                          // do not ask
	Confirm func(ctx context.Context, plan Summary) error // called before the first deletion; an error stops it
	Report  func(step string)                             // may be nil
}

// Outcome is the result of one orphan.
type Outcome string

// The outcomes. In a dry run, and for resources that are only shown, it is Found.
const (
	Found   Outcome = "found"
	Deleted Outcome = "deleted"
	Failed  Outcome = "failed"
	Needed  Outcome = "needed again" // it has been used since it was found; it is kept, which is not a failure
)

// CleanedResource is an orphan and its outcome.
type CleanedResource struct {
	OrphanedResource

	Outcome      Outcome `json:"outcome"`
	ErrorMessage string  `json:"error_message,omitempty"`
	Err          error   `json:"-"`
}

// Deletable reports whether clean-up deletes this type: a VM is only shown.
func (r OrphanedResource) Deletable() bool { return r.ResourceType != VM }

// Summary is what a clean-up found and did.
type Summary struct {
	TotalFound   int `json:"total_found"` // includes stopped VMs, which are not deleted
	TotalDeleted int `json:"total_deleted"`
	TotalFailed  int `json:"total_failed"`

	// EstimatedSavingsMonthly is the cost of the deleted resources (in a dry run, of those that would be deleted), as far as
	// it is known; nil: entirely unknown.
	EstimatedSavingsMonthly *cost.Money `json:"estimated_savings_monthly"`
	UnknownCosts            int         `json:"unknown_costs"` // how many have an unknown cost

	Resources []CleanedResource `json:"resources"`
	Kept      []Kept            `json:"kept"`
	DryRun    bool              `json:"dry_run"`
}

// Shown is the number of resources that clean-up never deletes.
func (s Summary) Shown() int {
	n := 0
	for _, r := range s.Resources {
		if !r.Deletable() {
			n++
		}
	}
	return n
}

// Err is nil when nothing failed; else all failures joined, of kind Partial when something was deleted.
func (s Summary) Err() error {
	if s.TotalFailed == 0 {
		return nil
	}
	var errs []error
	var left []string
	for _, r := range s.Resources {
		if r.Err != nil {
			errs = append(errs, r.Err)
			left = append(left, r.ResourceID)
		}
	}
	e := &errkind.Error{Kind: errkind.Of(errs[0]), Op: "delete orphans", Class: ErrCleanup, LeftOver: left, Err: errors.Join(errs...)}
	if s.TotalDeleted > 0 {
		e.Kind = errkind.Partial
	}
	return e
}

// Plan finds the orphans (see FindOrphanedResources) and computes the savings. It changes nothing.
func (c *Cleaner) Plan(ctx context.Context, group string, o FindOptions) (Summary, error) {
	f, err := c.FindOrphanedResources(ctx, group, o)
	if err != nil {
		return Summary{}, err
	}
	sum := Summary{TotalFound: len(f.Orphans), Kept: f.Kept, DryRun: true, Resources: make([]CleanedResource, len(f.Orphans))}
	for n, orphan := range f.Orphans {
		sum.Resources[n] = CleanedResource{OrphanedResource: orphan, Outcome: Found}
	}
	sum.count(func(r CleanedResource) bool { return r.Deletable() })
	return sum, nil
}

// Delete deletes what a plan found, network interfaces first, and rechecks each before deleting whether it is needed. o must
// be the options of the plan. It may be interrupted anywhere: the next run continues with what is left. Failures are in the
// summary, and the error is Summary.Err. report receives each step; nil: nobody.
func (c *Cleaner) Delete(ctx context.Context, plan Summary, o FindOptions, report func(step string)) (Summary, error) {
	sum := plan
	sum.DryRun, sum.Resources = false, slices.Clone(plan.Resources)
	var todo []teardown.Item
	var at []int
	for n, r := range sum.Resources {
		if !r.Deletable() {
			continue
		}
		item, ok := teardown.Of(c.Azure, r.found.id)
		if !ok {
			continue // none of that type was found
		}
		item.Needed = func(ctx context.Context) (string, error) { return c.needed(ctx, r.found, o) }
		at, todo = append(at, n), append(todo, item)
	}
	if len(todo) == 0 {
		return sum, nil
	}
	if report != nil {
		ctx = pacing.WithNotice(ctx, report)
	}
	for n, result := range teardown.Run(ctx, c.Azure, todo, report) {
		r := &sum.Resources[at[n]]
		switch {
		case result.Err == nil:
			r.Outcome = Deleted
			sum.TotalDeleted++
		case errors.Is(result.Err, teardown.ErrNeeded):
			r.Outcome, r.ErrorMessage = Needed, result.Err.Error()
		default:
			r.Outcome, r.Err, r.ErrorMessage = Failed, result.Err, result.Err.Error()
			sum.TotalFailed++
		}
	}
	sum.count(func(r CleanedResource) bool { return r.Outcome == Deleted })
	return sum, sum.Err()
}

// CleanupOrphanedResources runs Plan, asks for confirmation, and runs Delete.
func (c *Cleaner) CleanupOrphanedResources(ctx context.Context, group string, o Options) (Summary, error) {
	if !o.DryRun && !o.Force && o.Confirm == nil {
		return Summary{}, failed("delete orphans", group, errkind.New(errkind.Invalid, "nobody is asked for a confirmation: set DryRun, Force or Confirm"))
	}
	plan, err := c.Plan(ctx, group, o.FindOptions)
	if err != nil || o.DryRun {
		return plan, err
	}
	plan.DryRun = false
	if !o.Force && plan.TotalFound > plan.Shown() {
		if err := o.Confirm(ctx, plan); err != nil {
			return plan, err
		}
	}
	return c.Delete(ctx, plan, o.FindOptions, o.Report)
}

// count sums up the cost of the chosen resources.
func (s *Summary) count(chosen func(CleanedResource) bool) {
	s.EstimatedSavingsMonthly, s.UnknownCosts = nil, 0
	for _, r := range s.Resources {
		if !chosen(r) {
			continue
		}
		if r.EstimatedCostMonthly == nil {
			s.UnknownCosts++
			continue
		}
		if s.EstimatedSavingsMonthly == nil {
			s.EstimatedSavingsMonthly = new(*r.EstimatedCostMonthly)
			continue
		}
		if all, err := s.EstimatedSavingsMonthly.Add(*r.EstimatedCostMonthly); err == nil {
			s.EstimatedSavingsMonthly = &all
		} else {
			s.UnknownCosts++ // in a different currency
		}
	}
}

// needed rechecks one resource: it may be used, changed, part of a launch, or replaced by another of the same name.
func (c *Cleaner) needed(ctx context.Context, was thing, o FindOptions) (why string, err error) {
	if m, ok := vm.CopySnapshot(was.tags); ok && was.kind == Snapshot {
		unfinished, err := c.Provisioner.Unfinished(ctx, was.id.ResourceGroup)
		if err != nil {
			return "", err
		}
		for _, u := range unfinished {
			if u.ID == m.Operation() && u.VM != "" {
				return u.VM + " is being made of it", nil
			}
		}
	}
	now, by, err := c.look(ctx, was)
	if azure.IsNotFound(err) {
		return "", nil // already deleted by somebody else
	}
	switch {
	case err != nil:
		return "", err
	case by != "":
		return "used by " + by, nil
	case now.mark != was.mark:
		return "it is another one of the same name", nil
	case operationOf(now.tags) != operationOf(was.tags):
		return "an operation has taken it up", nil
	case !o.All && !azure.Managed(now.tags):
		return "it is not azlin's any more", nil
	case was.kind == Disk && was.since != nil && now.since != nil && now.since.After(*was.since):
		return "it was used meanwhile", nil
	}
	return "", nil
}

// look reads a resource again, and what uses it.
func (c *Cleaner) look(ctx context.Context, was thing) (now thing, by string, err error) {
	group, name := was.id.ResourceGroup, was.id.Name()
	switch was.kind {
	case Disk:
		resp, err := c.Azure.Disks().Get(ctx, group, name, nil)
		if err != nil {
			return now, "", azure.Wrap("look at disk", name, err)
		}
		now, ok := unattached(&resp.Disk)
		if by := azure.DiskUsedBy(&resp.Disk); by != "" || ok {
			return now, by, nil
		}
		return now, "something: its state is " + string(val(resp.Properties.DiskState)), nil
	case Snapshot:
		return c.lookAtSnapshot(ctx, was)
	case NIC:
		resp, err := c.Azure.NICs().Get(ctx, group, name, nil)
		if err != nil {
			return now, "", azure.Wrap("look at network interface", name, err)
		}
		return nicThing(&resp.Interface), azure.NICUsedBy(&resp.Interface), nil
	case PublicIP:
		resp, err := c.Azure.PublicIPs().Get(ctx, group, name, nil)
		if err != nil {
			return now, "", azure.Wrap("look at public address", name, err)
		}
		return ipThing(&resp.PublicIPAddress), azure.PublicIPUsedBy(&resp.PublicIPAddress), nil
	}
	resp, err := c.Azure.NSGs().Get(ctx, group, name, nil)
	if err != nil {
		return now, "", azure.Wrap("look at network security group", name, err)
	}
	for _, id := range azure.NSGUsedBy(&resp.SecurityGroup) {
		by = id
	}
	return nsgThing(&resp.SecurityGroup), by, nil
}

func (c *Cleaner) lookAtSnapshot(ctx context.Context, was thing) (now thing, by string, err error) {
	resp, err := c.Azure.Snapshots().Get(ctx, was.id.ResourceGroup, was.id.Name(), nil)
	if err != nil {
		return now, "", azure.Wrap("look at snapshot", was.id.Name(), err)
	}
	inv := inventory{whole: true}
	if creation := resp.Properties.CreationData; creation != nil {
		source, err := azure.ParseID(val(creation.SourceResourceID))
		switch {
		case err != nil:
		case source.IsType("Microsoft.Compute/disks"):
			disk, err := c.Azure.Disks().Get(ctx, source.ResourceGroup, source.Name(), nil)
			if err == nil {
				inv.disks = []*armcompute.Disk{&disk.Disk}
			} else if !azure.IsNotFound(err) {
				return now, "", azure.Wrap("look at disk", source.Name(), err)
			}
		default:
			snapshot, err := c.Azure.Snapshots().Get(ctx, source.ResourceGroup, source.Name(), nil)
			if err == nil {
				inv.snapshots = []*armcompute.Snapshot{&snapshot.Snapshot}
			} else if !azure.IsNotFound(err) {
				return now, "", azure.Wrap("look at snapshot", source.Name(), err)
			}
		}
	}
	now, ok := inv.sourceless(&resp.Snapshot)
	if by := azure.SnapshotUsedBy(&resp.Snapshot); by != "" || ok {
		return now, by, nil
	}
	return now, "its source, which is there", nil
}
