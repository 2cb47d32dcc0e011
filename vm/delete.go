package vm

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/pacing"
	"github.com/azlin-dev/azlin/azure/resourcegroup"
	"github.com/azlin-dev/azlin/azure/teardown"
	"github.com/azlin-dev/azlin/errkind"
)

// DeleteOptions are the options of Delete and DeleteAll. The zero value deletes what belongs to the VM and nothing else.
type DeleteOptions struct {
	DryRun        bool // only report what would be deleted
	ResourceGroup bool // delete the whole group if azlin created everything in it
	Report        func(step string)
}

// Content is a resource that is deleted with its group.
type Content struct {
	ResourceType string `json:"resource_type"` // as in teardown.Result; Azure's type for a type unknown to teardown
	ResourceName string `json:"resource_name"`
	ID           string `json:"id"`
}

// DeletionSummary is the result of a deletion.
type DeletionSummary struct {
	Ref // Name is empty for several

	TotalResources   int               `json:"total_resources"`
	DeletedResources int               `json:"deleted_resources"` // 0 in a dry run
	FailedResources  int               `json:"failed_resources"`
	Results          []teardown.Result `json:"results"`
	Kept             []teardown.Kept   `json:"kept,omitempty"`
	Contents         []Content         `json:"contents,omitempty"` // for a dry run that would delete a whole group: what is in it
	DryRun           bool              `json:"dry_run,omitempty"`
}

// Err is nil when nothing failed; else all failures joined, of kind Partial when something was deleted, with what is left
// over.
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
		Kind: errkind.Of(errs[0]), Op: "delete vm", Resource: d.Name, Class: ErrLifecycle, LeftOver: left, Err: errors.Join(errs...),
	}
	if d.DeletedResources > 0 {
		out.Kind = errkind.Partial
	}
	return out
}

func (d *DeletionSummary) add(r teardown.Result) {
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

// Delete deletes a VM and what belongs to it: its network interfaces, their public addresses, its disks, and its security
// group if azlin created it and nothing else uses it. An absent VM is not an error: what an unfinished create or delete of
// that name left behind is found, by azlin's names and the tag managed-by, and deleted. Afterwards it verifies that
// everything is gone, and retries if not.
// A resource that cannot be deleted is a failed result and does not stop the others; the error is then DeletionSummary.Err.
// Otherwise an error means that the plan could not be made. The shared network is kept and named in Kept.
func (s *Service) Delete(ctx context.Context, ref Ref, o DeleteOptions) (DeletionSummary, error) {
	sum, err := s.delete(ctx, ref, o)
	return sum, errkind.Classed(ErrLifecycle, cmp.Or(err, sum.Err()))
}

// delete is Delete, but returns an error only when the plan could not be made.
func (s *Service) delete(ctx context.Context, ref Ref, o DeleteOptions) (DeletionSummary, error) {
	if o.Report != nil {
		ctx = pacing.WithNotice(ctx, o.Report)
	}
	ref, err := s.full(ref)
	sum := DeletionSummary{Ref: ref, DryRun: o.DryRun, Results: []teardown.Result{}}
	switch {
	case o.ResourceGroup && ref.ResourceGroup != "":
		return s.deleteGroup(ctx, sum, o)
	case err != nil:
		return sum, err
	}
	plan, err := s.planDeletion(ctx, ref)
	if err != nil {
		return sum, err
	}
	sum.Kept = plan.Kept
	if o.DryRun {
		for _, item := range plan.Items {
			sum.add(item.Result(nil))
		}
		return sum, nil
	}
	results := teardown.Run(ctx, s.azure, plan.Items, o.Report)
	swept, err := s.sweep(ctx, ref, plan.Kept, o.Report)
	for _, r := range append(results, swept...) {
		sum.add(r)
	}
	sum.Kept = slices.DeleteFunc(sum.Kept, func(k teardown.Kept) bool { return slices.ContainsFunc(swept, k.Is) })
	return sum, err
}

// sweep rechecks what was kept because other VMs used it: when several are deleted at the same time, each sees the others at
// first, and the last one can delete what they shared.
func (s *Service) sweep(ctx context.Context, ref Ref, kept []teardown.Kept, report func(step string)) ([]teardown.Result, error) {
	d := &deletion{Service: s, Plan: teardown.Plan{VM: ref.Name}}
	unlock, err := s.locks.Lock(ctx, "sweep "+strings.ToLower(ref.ResourceGroup))
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := d.again(ctx, ref.ResourceGroup, kept); err != nil {
		return nil, err
	}
	return teardown.Run(ctx, s.azure, d.Items, report), nil
}

// again plans those of the kept resources that nothing outside the plan uses any more.
func (d *deletion) again(ctx context.Context, group string, kept []teardown.Kept) (err error) {
	for _, k := range kept {
		switch k.ResourceType {
		case "nsg":
			err = d.nsg(ctx, d.nsgID(group, k.ResourceName))
		case "nat-gateway":
			err = d.network.PlanEgress(ctx, group, &d.Plan)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// shared is sweep for a dry run: it finds the shared resources that the last of several deletions would free. Each deletion
// was planned as if the other VMs stayed.
func (s *Service) shared(ctx context.Context, group string, parts []DeletionSummary) ([]teardown.Result, error) {
	d := &deletion{Service: s}
	var kept []teardown.Kept
	for _, part := range parts {
		kept = append(kept, part.Kept...)
		for _, r := range part.Results {
			if id, err := azure.ParseID(r.ID); err == nil {
				d.Add(teardown.Item{Kind: r.ResourceType, ID: id})
			}
		}
	}
	known := len(d.Items)
	if err := d.again(ctx, group, kept); err != nil {
		return nil, err
	}
	var results []teardown.Result
	for _, item := range d.Items[known:] {
		results = append(results, item.Result(nil))
	}
	return results, nil
}

// DeleteAll deletes azlin's VMs in a group, several in parallel, each as Delete does. In an absent group there is nothing to
// delete.
func (s *Service) DeleteAll(ctx context.Context, group string, o DeleteOptions) (DeletionSummary, error) {
	sum := DeletionSummary{Ref: Ref{ResourceGroup: group}, DryRun: o.DryRun, Results: []teardown.Result{}}
	if o.ResourceGroup {
		sum, err := s.deleteGroup(ctx, sum, o)
		return sum, errkind.Classed(ErrLifecycle, cmp.Or(err, sum.Err()))
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
			parts[i], err = s.delete(gctx, v.Ref, o)
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
		var shared []teardown.Result
		shared, err = s.shared(ctx, group, parts)
		for _, r := range shared {
			sum.add(r)
		}
	}
	for _, part := range parts {
		for _, k := range part.Kept {
			if !slices.Contains(sum.Kept, k) && !slices.ContainsFunc(sum.Results, k.Is) { // the deletion of another VM may have deleted it
				sum.Kept = append(sum.Kept, k)
			}
		}
	}
	return sum, errkind.Classed(ErrLifecycle, cmp.Or(err, sum.Err()))
}

func (s *Service) deleteGroup(ctx context.Context, sum DeletionSummary, o DeleteOptions) (DeletionSummary, error) {
	groups := s.groups
	r := teardown.Result{
		ResourceType: "resource-group", ResourceName: sum.ResourceGroup,
		ID: azure.ID{Subscription: s.azure.SubscriptionID(), ResourceGroup: sum.ResourceGroup}.String(),
	}
	if o.DryRun {
		foreign, own, err := groups.Contents(ctx, sum.ResourceGroup)
		if azure.IsNotFound(err) {
			return sum, nil
		}
		if err != nil {
			return sum, err
		}
		for _, f := range foreign {
			sum.Kept = append(sum.Kept, teardown.Kept{ResourceType: "resource", ResourceName: f, Reason: "it is not azlin's, so the group stays"})
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
		return sum, err
	}
	if r.Err = groups.Delete(ctx, sum.ResourceGroup, o.Report); r.Err != nil {
		r.Err = teardown.NameLocks(ctx, s.azure, r.ID, r.Err)
	}
	sum.add(r)
	return sum, nil
}
