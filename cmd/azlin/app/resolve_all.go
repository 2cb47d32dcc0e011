package app

import (
	"context"

	"github.com/azlin-dev/azlin/vm"
)

// ResolveAll finds every named VM with one listing, and fails before anything is changed when one is not
// there.
func (s *Session) ResolveAll(ctx context.Context, names []string) ([]vm.Info, error) {
	listing, err := s.VMs.List(ctx, vm.ListOptions{ResourceGroup: s.Azure.Target().ResourceGroup, All: true})
	if err != nil {
		return nil, err
	}
	var found []vm.Info
	seen := map[string]bool{}
	for _, name := range names {
		match, err := vm.ResolveIn(listing.VMs, name)
		if err != nil {
			return nil, err
		}
		if !seen[match.VM.ID] {
			seen[match.VM.ID] = true
			found = append(found, match.VM)
		}
	}
	return found, nil
}

// VmsFor are the named VMs, or all of azlin's; with foreign also those that it did not create.
func (s *Session) VmsFor(ctx context.Context, names []string, foreign bool) ([]vm.Info, error) {
	if len(names) > 0 {
		return s.ResolveAll(ctx, names)
	}
	l, err := s.VMs.List(ctx, vm.ListOptions{ResourceGroup: s.Azure.Target().ResourceGroup, All: foreign})
	return l.VMs, err
}
