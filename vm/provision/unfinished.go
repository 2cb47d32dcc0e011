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

// mark is the value of the tag azlin-op on a VM's resources.
func mark(operation, step string) string {
	return change.Mark{Kind: change.KindOfVM(operation), ID: operation, Step: step}.String()
}

// Unfinished finds the unfinished operations that create a VM, or whose VM is gone while some of its resources are left,
// among resources. It finds those of all owners and machines. It is for change.Handler. Resources that VMs share are left
// out. Kinds are New, Clone and Bake; an operation of a copy includes its snapshots and all its unfinished VMs.
func Unfinished(all []change.Resource, kind change.Kind) []change.Unfinished {
	done := map[string]bool{} // by the operation: other VMs of a copy may still be in progress
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

// add adds one resource to an operation.
func add(u *change.Unfinished, r change.Resource, m change.Mark) {
	u.Add(r)
	switch name := r.ID.Name(); {
	case m.Step == change.StepSnapshot: // snapshots are named after the source VM
	case r.ID.IsType("Microsoft.Compute/virtualMachines"):
		u.HasVM, u.Step = true, change.StepVM
		u.On(name)
	default: // all names are derived from the VM's
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

// Unfinished is the function Unfinished over all resources of a group, or of the subscription when group is empty
// (resources/list; one request per page).
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
