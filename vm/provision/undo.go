package provision

import (
	"context"
	"errors"
	"slices"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/teardown"
	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm"
)

// Undo plans to delete what an operation that creates VMs has made: its unfinished VMs with all that belongs to each, and
// their snapshots. It is for change.Handler. Finished VMs stay. A VM of that name from another operation is a Conflict.
func (s *Service) Undo(ctx context.Context, u change.Unfinished) (change.Plan, error) {
	var p change.Plan
	if len(u.Resources) == 0 { // for example, of a file whose VM was never created, or is finished
		p.Run = func(context.Context, func(string)) (any, error) { return nil, nil }
		return p, nil
	}
	var planned []string
	for _, name := range u.VMs {
		if err := s.mineToDelete(ctx, u, name); err != nil {
			return p, err
		}
		sum, err := s.vms.Delete(ctx, vm.Ref{Name: name, ResourceGroup: u.ResourceGroup}, vm.DeleteOptions{DryRun: true})
		if err != nil {
			return p, err
		}
		for _, r := range sum.Results {
			p.Steps, planned = append(p.Steps, stepOf(r)), append(planned, azure.IDKey(r.ID))
		}
	}
	var snapshots []azure.ID
	for _, id := range u.Resources {
		parsed, err := azure.ParseID(id)
		if err == nil && parsed.IsType("Microsoft.Compute/snapshots") && !slices.Contains(planned, parsed.Key()) {
			snapshots, p.Steps = append(snapshots, parsed), append(p.Steps, "delete snapshot "+parsed.Name())
		}
	}
	p.Run = func(ctx context.Context, report func(string)) (any, error) {
		for _, name := range u.VMs {
			if err := s.mineToDelete(ctx, u, name); err != nil { // it may have been finished while the user was asked
				return nil, err
			}
			sum, err := s.vms.Delete(ctx, vm.Ref{Name: name, ResourceGroup: u.ResourceGroup}, vm.DeleteOptions{Report: report})
			if err := errors.Join(err, sum.Err()); err != nil {
				return nil, err
			}
		}
		for _, id := range snapshots {
			report("deleting snapshot " + id.Name())
			if err := s.disks.DeleteSnapshot(ctx, id.String()); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}
	return p, nil
}

func stepOf(r teardown.Result) string { return "delete " + r.ResourceType + " " + r.ResourceName }

// mineToDelete checks that a VM of this name, if it exists, belongs to the operation and is not finished.
func (s *Service) mineToDelete(ctx context.Context, u change.Unfinished, name string) error {
	i, err := s.vms.Peek(ctx, vm.Ref{Name: name, ResourceGroup: u.ResourceGroup})
	if azure.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if m, ok := change.MarkOf(i.Tags); ok && m.Operation() == u.ID && m.Step != change.StepDone {
		return nil
	}
	return errkind.New(errkind.Conflict, "vm %s has been finished, or is of another operation, and stays", name)
}
