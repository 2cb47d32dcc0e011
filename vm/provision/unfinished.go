package provision

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/vm"
)

// mark is the value of the tag azlin-op on what belongs to a VM.
func mark(operation, step string) string {
	return change.Mark{Kind: change.KindOfVM(operation), ID: operation, Step: step}.String()
}

// Unfinished finds, among resources, the operations that make a VM and have not come to their end, or whose VM is gone
// while something of it is not: whoever began them, and wherever. It is for change.Handler. What VMs share is none of it.
// Kinds are New, Clone and Bake; a copy's operation has its snapshots, too, and all of its VMs that are not finished.
func Unfinished(all []change.Resource, kind change.Kind) []change.Unfinished {
	done := map[string]bool{} // by what was made as one: the other VMs of a copy may be at work
	for _, r := range all {
		if m, ok := own(r); ok && m.Step == change.StepDone {
			done[m.ID] = true
		}
	}
	found := map[string]*change.Unfinished{}
	for _, r := range all {
		m, ok := own(r)
		if snapshot, is := vm.CopySnapshot(r.Tags); is {
			m, ok = snapshot, true
		}
		if !ok || m.Kind != kind || done[m.ID] {
			continue
		}
		u := found[m.Operation()]
		if u == nil {
			u = &change.Unfinished{ID: m.Operation(), Kind: kind}
			found[u.ID] = u
		}
		add(u, r, m)
	}
	list := make([]change.Unfinished, 0, len(found))
	for _, id := range slices.Sorted(maps.Keys(found)) {
		list = append(list, *found[id])
	}
	return list
}

// own is the mark of a resource that belongs to one VM.
func own(r change.Resource) (change.Mark, bool) {
	m, ok := r.Mark()
	_, session := azure.Tag(r.Tags, azure.TagSession)
	return m, ok && session
}

// add counts one resource of an operation.
func add(u *change.Unfinished, r change.Resource, m change.Mark) {
	u.Add(r)
	switch name := r.ID.Name(); {
	case m.Step == change.StepSnapshot: // whose name follows from the source's
	case r.ID.IsType("Microsoft.Compute/virtualMachines"):
		u.HasVM, u.Step = true, change.StepVM
		u.On(name)
	default: // the names follow from the VM's, so any of them tells it
		if u.Step == "" {
			u.Step = m.Step
		}
		n := vm.NamesOf("")
		for _, suffix := range []string{n.NIC, n.PublicIP, n.NSG, n.OSDisk} {
			if base, ok := strings.CutSuffix(name, suffix); ok {
				u.On(base)
				return
			}
		}
	}
}

// Unfinished is the function of the same name over all resources of a group, or of the subscription when group is empty
// (resources/list; one request for each page).
func (s *Service) Unfinished(ctx context.Context, group string) ([]change.Unfinished, error) {
	resources, err := change.Resources(ctx, s.azure, group)
	if err != nil {
		return nil, err
	}
	var all []change.Unfinished
	for _, kind := range []change.Kind{change.New, change.Clone, change.Bake} {
		all = append(all, Unfinished(resources, kind)...)
	}
	for n := range all {
		slices.Sort(all[n].Resources)
	}
	change.ByAge(all)
	return all, nil
}
