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

// Options of CleanupOrphanedResources. The zero value deletes, and asks nobody, so it is refused: set Force or
// Confirm.
type Options struct {
	FindOptions

	DryRun  bool                                          // only say what would be deleted
	Force   bool                                          // do not ask
	Confirm func(ctx context.Context, plan Summary) error // asked before the first deletion; an error ends it
	Report  func(step string)                             // may be nil
}

// Outcome is what became of an orphan.
type Outcome string

// The outcomes. That of a dry run, and of what is only shown, is Found.
const (
	Found   Outcome = "found"
	Deleted Outcome = "deleted"
	Failed  Outcome = "failed"
	Needed  Outcome = "needed again" // somebody uses it since it was found: it stays, which is no failure
)

// CleanedResource is an orphan and what became of it.
type CleanedResource struct {
	OrphanedResource

	Outcome      Outcome `json:"outcome"`
	ErrorMessage string  `json:"error_message,omitempty"`
	Err          error   `json:"-"`
}

// Deletable reports whether it is deleted at all: a VM is only shown.
func (r OrphanedResource) Deletable() bool { return r.ResourceType != VM }

// Summary is what a cleanup found and did.
type Summary struct {
	TotalFound   int `json:"total_found"` // stopped VMs, which are not deleted, included
	TotalDeleted int `json:"total_deleted"`
	TotalFailed  int `json:"total_failed"`

	// EstimatedSavingsMonthly is what the deleted resources cost, in a dry run what those cost that would be deleted, as
	// far as it is known; nil: of none of them.
	EstimatedSavingsMonthly *cost.Money `json:"estimated_savings_monthly"`
	UnknownCosts            int         `json:"unknown_costs"` // of how many it is not known

	Resources []CleanedResource `json:"resources"`
	Kept      []Kept            `json:"kept"`
	DryRun    bool              `json:"dry_run"`
}

// Shown is how many of the resources are not deleted, whatever was asked for.
func (s Summary) Shown() int {
	n := 0
	for _, r := range s.Resources {
		if !r.Deletable() {
			n++
		}
	}
	return n
}

// Err is nil when nothing failed; else the failures together, of kind Partial when something was deleted.
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

// Plan finds the orphans (see FindOrphanedResources) and says what deleting them saves. It changes nothing.
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

// Delete deletes what a plan found, each after another look whether somebody needs it, network interfaces first. o is what
// the plan was made with. It can be cut off anywhere: the next one continues with what is left. What could not be deleted is
// in the summary, and the error is Summary.Err. report receives each step; nil: nobody.
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
			continue // nothing of that type is found
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

// CleanupOrphanedResources is Plan, a question, and Delete.
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

// count adds up what the chosen resources cost.
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
			s.UnknownCosts++ // in another currency
		}
	}
}

// needed looks at one resource again: it may be used, changed, taken up by a launch, or another one of the same name.
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
		return "", nil // somebody else was faster
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

// look reads a resource again, and who uses it.
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
