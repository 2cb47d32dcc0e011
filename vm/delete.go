package vm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/pacing"
	"github.com/azlin-dev/azlin/azure/resourcegroup"
	"github.com/azlin-dev/azlin/errkind"
)

// DeleteOptions of Delete and DeleteAll. The zero value deletes what belongs to the VM and nothing else.
type DeleteOptions struct {
	DryRun        bool // only say what would go
	ResourceGroup bool // delete the whole group, when everything in it is azlin's
	Report        func(step string)
}

// DeletionResult is what came of one resource.
type DeletionResult struct {
	ResourceType string `json:"resource_type"` // "vm", "nic", "public-ip", "nsg", "disk" or "resource-group"
	ResourceName string `json:"resource_name"`
	Success      bool   `json:"success"` // in a dry run: would be deleted
	ErrorMessage string `json:"error_message,omitempty"`

	VM  string `json:"vm,omitempty"`
	ID  string `json:"id"`
	Err error  `json:"-"`
}

// Kept is a resource around the VM that stays, and why.
type Kept struct {
	ResourceType string `json:"resource_type"`
	ResourceName string `json:"resource_name"`
	Reason       string `json:"reason"`
}

// Content is a resource that goes with its group.
type Content struct {
	ResourceType string `json:"resource_type"` // as in DeletionResult, Azure's name for what that does not know
	ResourceName string `json:"resource_name"`
	ID           string `json:"id"`
}

func (k Kept) is(r DeletionResult) bool {
	return r.ResourceType == k.ResourceType && strings.EqualFold(r.ResourceName, k.ResourceName)
}

// DeletionSummary is what came of a deletion.
type DeletionSummary struct {
	VMName           string           `json:"vm_name"` // empty for several
	ResourceGroup    string           `json:"resource_group"`
	TotalResources   int              `json:"total_resources"`
	DeletedResources int              `json:"deleted_resources"` // 0 in a dry run
	FailedResources  int              `json:"failed_resources"`
	Results          []DeletionResult `json:"results"`
	Kept             []Kept           `json:"kept,omitempty"`
	Contents         []Content        `json:"contents,omitempty"` // of a group that would be deleted as a whole, in a dry run
	DryRun           bool             `json:"dry_run,omitempty"`
}

// Err is nil when nothing failed; else the failures together, of kind Partial when something was
// deleted, with what is left over.
func (d DeletionSummary) Err() error {
	if d.FailedResources == 0 {
		return nil
	}
	var errs []error
	var left []string
	for _, r := range d.Results {
		if r.Err != nil {
			errs = append(errs, r.Err)
			left = append(left, r.ID)
		}
	}
	out := &errkind.Error{
		Kind: errkind.Of(errs[0]), Op: "delete vm", Resource: d.VMName, Class: ErrLifecycle, LeftOver: left, Err: errors.Join(errs...),
	}
	if d.DeletedResources > 0 {
		out.Kind = errkind.Partial
	}
	return out
}

func (d *DeletionSummary) add(r DeletionResult) {
	d.TotalResources++
	if r.Err != nil {
		d.FailedResources++
		r.ErrorMessage = r.Err.Error()
	} else if !d.DryRun {
		d.DeletedResources++
	}
	r.Success = r.Err == nil
	d.Results = append(d.Results, r)
}

// Delete deletes a VM and what belongs to it: its network interfaces, their public addresses, its
// disks, and its security group when azlin made it and nothing else uses it. A VM that is not there
// is no error: what an unfinished create or delete of that name left behind is looked for, by the
// names azlin gives and the tag managed-by, and deleted. It checks afterwards that all is gone, and
// tries again when not.
//
// A resource that cannot be deleted is a failed result, not an error: see DeletionSummary.Err. The
// error is for a plan that could not be made. The shared network stays and is named in Kept.
func (s *Service) Delete(ctx context.Context, group, name string, o DeleteOptions) (DeletionSummary, error) {
	if o.Report != nil {
		ctx = pacing.WithNotice(ctx, o.Report)
	}
	sum := DeletionSummary{VMName: name, ResourceGroup: group, DryRun: o.DryRun, Results: []DeletionResult{}}
	if o.ResourceGroup {
		return s.deleteGroup(ctx, sum, o)
	}
	plan, err := s.planDeletion(ctx, group, name)
	if err != nil {
		return sum, errkind.Classed(ErrLifecycle, err)
	}
	sum.Kept = plan.kept
	if o.DryRun {
		for _, item := range plan.items {
			sum.add(item.result(nil))
		}
		return sum, nil
	}
	results := s.carryOut(ctx, plan.items, o.Report)
	swept, err := s.sweep(ctx, group, name, plan.kept, o.Report)
	for _, r := range append(results, swept...) {
		sum.add(r)
	}
	sum.Kept = slices.DeleteFunc(sum.Kept, func(k Kept) bool { return slices.ContainsFunc(swept, k.is) })
	return sum, errkind.Classed(ErrLifecycle, err)
}

// sweep looks again at what was kept because other VMs used it: when several are deleted at the same time, each sees
// the others at first, and the last one takes what they shared.
func (s *Service) sweep(ctx context.Context, group, name string, kept []Kept, report func(step string)) ([]DeletionResult, error) {
	d := &deletion{Service: s, vm: name, seen: map[string]bool{}}
	unlock, err := s.locks.Lock(ctx, "sweep "+strings.ToLower(group))
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := d.again(ctx, group, kept); err != nil {
		return nil, err
	}
	return s.carryOut(ctx, d.items, report), nil
}

// again plans of what was kept whatever nothing outside the plan uses any more.
func (d *deletion) again(ctx context.Context, group string, kept []Kept) (err error) {
	for _, k := range kept {
		switch k.ResourceType {
		case "nsg":
			err = d.nsg(ctx, d.networkID(group, "networkSecurityGroups", k.ResourceName))
		case "nat-gateway":
			err = d.egress(ctx, group)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// shared is sweep for a dry run: what goes with the last of several VMs, of which each is planned as if the others stayed.
func (s *Service) shared(ctx context.Context, group string, parts []DeletionSummary) ([]DeletionResult, error) {
	d := &deletion{Service: s, seen: map[string]bool{}}
	var kept []Kept
	for _, part := range parts {
		kept = append(kept, part.Kept...)
		for _, r := range part.Results {
			if id, err := azure.ParseID(r.ID); err == nil {
				d.add(planned{kind: r.ResourceType, id: id})
			}
		}
	}
	known := len(d.items)
	if err := d.again(ctx, group, kept); err != nil {
		return nil, err
	}
	var results []DeletionResult
	for _, item := range d.items[known:] {
		results = append(results, item.result(nil))
	}
	return results, nil
}

// DeleteAll deletes azlin's VMs of a group, several at once, as Delete does each of them. An absent
// group has nothing to delete.
func (s *Service) DeleteAll(ctx context.Context, group string, o DeleteOptions) (DeletionSummary, error) {
	sum := DeletionSummary{ResourceGroup: group, DryRun: o.DryRun, Results: []DeletionResult{}}
	if o.ResourceGroup {
		return s.deleteGroup(ctx, sum, o)
	}
	l, err := s.List(ctx, ListOptions{ResourceGroup: group})
	if azure.IsNotFound(err) {
		return sum, nil
	}
	if err != nil {
		return sum, errkind.Classed(ErrLifecycle, err)
	}
	parts := make([]DeletionSummary, len(l.VMs))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i, v := range l.VMs {
		g.Go(func() (err error) {
			parts[i], err = s.Delete(gctx, v.ResourceGroup, v.Name, o)
			return err
		})
	}
	err = g.Wait()
	for _, part := range parts {
		for _, r := range part.Results {
			sum.add(r)
		}
	}
	if o.DryRun && err == nil {
		var shared []DeletionResult
		shared, err = s.shared(ctx, group, parts)
		for _, r := range shared {
			sum.add(r)
		}
	}
	for _, part := range parts {
		for _, k := range part.Kept {
			if !slices.Contains(sum.Kept, k) && !slices.ContainsFunc(sum.Results, k.is) { // another VM's deletion may have come to it
				sum.Kept = append(sum.Kept, k)
			}
		}
	}
	return sum, errkind.Classed(ErrLifecycle, err)
}

func (s *Service) deleteGroup(ctx context.Context, sum DeletionSummary, o DeleteOptions) (DeletionSummary, error) {
	groups := s.groups
	r := DeletionResult{
		ResourceType: "resource-group", ResourceName: sum.ResourceGroup,
		ID: azure.ID{Subscription: s.azure.SubscriptionID(), ResourceGroup: sum.ResourceGroup}.String(),
	}
	if o.DryRun {
		foreign, own, err := groups.Contents(ctx, sum.ResourceGroup)
		if azure.IsNotFound(err) {
			return sum, nil
		}
		if err != nil {
			return sum, errkind.Classed(ErrLifecycle, err)
		}
		for _, f := range foreign {
			sum.Kept = append(sum.Kept, Kept{ResourceType: "resource", ResourceName: f, Reason: "it is not azlin's, so the group stays"})
		}
		if len(foreign) == 0 {
			sum.add(r)
			for _, id := range own {
				name := id.Name()
				if resourcegroup.KindOf(id) == "image" {
					name = strings.Join(id.Names[1:], ":")
				}
				sum.Contents = append(sum.Contents, Content{resourcegroup.KindOf(id), name, id.String()})
			}
		}
		return sum, nil
	}
	exists, err := groups.Exists(ctx, sum.ResourceGroup)
	if err != nil || !exists {
		return sum, errkind.Classed(ErrLifecycle, err)
	}
	if r.Err = groups.Delete(ctx, sum.ResourceGroup, o.Report); r.Err != nil {
		r.Err = s.nameLocks(ctx, r.ID, r.Err)
	}
	sum.add(r)
	return sum, nil
}

// carryOut deletes the items in the order of their ranks, those of one rank at once, and looks
// whether they are gone; what is not is tried again, because resources let go of one another late.
func (s *Service) carryOut(ctx context.Context, items []planned, report func(step string)) []DeletionResult {
	errs := make([]error, len(items))
	todo := make([]int, len(items))
	for i := range items {
		todo[i] = i
	}
	for round := range deleteRounds {
		if round > 0 {
			if err := pause(ctx, time.Duration(round)*deletePause); err != nil {
				break
			}
		}
		s.deleteRanks(ctx, items, todo, errs, report)
		if todo = s.remaining(ctx, items, todo, errs); len(todo) == 0 || !worthRepeating(todo, errs) {
			break
		}
	}
	results := make([]DeletionResult, len(items))
	for i, item := range items {
		err := errs[i]
		if slices.Contains(todo, i) && err == nil {
			err = &errkind.Error{
				Kind: errkind.Conflict, Op: "delete " + item.kind, Resource: item.id.Name(),
				Err: errors.New("the deletion was accepted, but it is still there"),
			}
		}
		results[i] = item.result(s.nameLocks(ctx, item.id.String(), err))
	}
	return results
}

const (
	deleteRounds = 5
	deletePause  = 3 * time.Second
)

func (s *Service) deleteRanks(ctx context.Context, items []planned, todo []int, errs []error, report func(step string)) {
	var ranks []int
	for _, i := range todo {
		ranks = append(ranks, items[i].rank)
	}
	slices.Sort(ranks)
	for _, rank := range slices.Compact(ranks) {
		var g errgroup.Group
		g.SetLimit(parallel)
		for _, i := range todo {
			if items[i].rank != rank {
				continue
			}
			g.Go(func() error {
				azure.Report(report, "deleting "+items[i].kind+" "+items[i].id.Name())
				errs[i] = items[i].delete(ctx)
				if azure.IsNotFound(errs[i]) {
					errs[i] = nil
				}
				return nil
			})
		}
		_ = g.Wait() // each error is in errs
		if rank == rankVM && holdBack(items, todo, errs) {
			return
		}
	}
}

// errHeld stands for the refusal that everything attached to a VM would get while that is there.
var errHeld = errors.New("not tried, because the vm could not be deleted")

// holdBack spares what hangs on a VM that could not be deleted.
func holdBack(items []planned, todo []int, errs []error) bool {
	failed := slices.ContainsFunc(todo, func(i int) bool { return items[i].rank == rankVM && errs[i] != nil })
	for _, i := range todo {
		if failed && items[i].rank != rankVM {
			errs[i] = &errkind.Error{Kind: errkind.Conflict, Op: "delete " + items[i].kind, Resource: items[i].id.Name(), Err: errHeld}
		}
	}
	return failed
}

// remaining asks which of todo still exist.
func (s *Service) remaining(ctx context.Context, items []planned, todo []int, errs []error) []int {
	there := make([]bool, len(items))
	var g errgroup.Group
	g.SetLimit(parallel)
	for _, i := range todo {
		g.Go(func() error {
			exists, err := items[i].exists(ctx)
			there[i] = exists || err != nil
			switch {
			case err != nil && errs[i] == nil:
				errs[i] = fmt.Errorf("look whether %s %s is gone: %w", items[i].kind, items[i].id.Name(), err)
			case err == nil && !exists:
				errs[i] = nil // it went with another one
			}
			return nil
		})
	}
	_ = g.Wait() // each error is in errs
	return slices.DeleteFunc(slices.Clone(todo), func(i int) bool { return !there[i] })
}

// worthRepeating says whether waiting may help any of todo.
func worthRepeating(todo []int, errs []error) bool {
	for _, i := range todo {
		if errors.Is(errs[i], errHeld) || errors.Is(errs[i], ErrNeeded) {
			continue
		}
		switch errkind.Of(errs[i]) {
		case errkind.Permission, errkind.Auth, errkind.Cancelled, errkind.Invalid,
			errkind.Unreachable, errkind.Throttled, errkind.Provisioning: // these were waited for, or tried again, long enough
			continue
		}
		if !strings.EqualFold(azure.Code(errs[i]), "ScopeLocked") {
			return true
		}
	}
	return false
}
