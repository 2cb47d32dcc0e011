package provision

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/vm"
)

// Unfinished is a create that did not come to its end, or whose VM is gone while something of it is not.
type Unfinished struct {
	vm.Ref // Name is empty: of a copy, only snapshots are there

	OperationID string     `json:"operation_id"`
	Region      string     `json:"region"`
	Owner       string     `json:"owner,omitempty"`
	Created     *time.Time `json:"created,omitempty"` // UTC; nil: its tag does not say
	Kind        string     `json:"kind"`              // "new", "clone" or "bake": what makes it
	Source      string     `json:"source,omitempty"`  // of "clone" and "bake": the VM whose disks it begins with
	Image       string     `json:"image,omitempty"`   // of "bake": its name, and its version when that is settled
	HasVM       bool       `json:"has_vm"`
	Resources   []string   `json:"resources"` // ids, sorted; without what VMs share, but with the snapshots of a copy
}

// Unfinished finds creates that did not come to their end by the tags of what they made, whoever began them and
// wherever. group may be empty, for all groups. It lists the resources that have the tag azlin-op (resources; one
// request for each page), the oldest create first.
func (s *Service) Unfinished(ctx context.Context, group string) ([]Unfinished, error) {
	filter := "tagName eq '" + azure.TagOperation + "'"
	var items []*armresources.GenericResourceExpanded
	var err error
	if group == "" {
		items, err = azure.Pages(ctx, "list resources", s.azure.Resources().NewListPager(&armresources.ClientListOptions{Filter: &filter}),
			func(p armresources.ClientListResponse) []*armresources.GenericResourceExpanded { return p.Value })
	} else {
		items, err = azure.Pages(ctx, "list resources of "+group,
			s.azure.Resources().NewListByResourceGroupPager(group, &armresources.ClientListByResourceGroupOptions{Filter: &filter}),
			func(p armresources.ClientListByResourceGroupResponse) []*armresources.GenericResourceExpanded {
				return p.Value
			})
	}
	if err != nil {
		return nil, err
	}
	found, copies := map[string]*Unfinished{}, map[string]*Unfinished{}
	done, taken := map[string]bool{}, map[string]bool{}
	for _, item := range items {
		tags := azure.Tags(item.Tags)
		if kind, key, ok := vm.CopySnapshot(tags); ok {
			if copies[key] == nil {
				copies[key] = &Unfinished{OperationID: CopyOperation(kind, key), Kind: kind}
			}
			copies[key].add(item, tags)
			continue
		}
		tag, _ := azure.Tag(tags, azure.TagOperation)
		id, step, ok := vm.ParseOperation(tag)
		if _, own := azure.Tag(tags, azure.TagSession); !ok || !own || !azure.Managed(tags) {
			continue // VMs share it, or it is not ours
		}
		u := found[id]
		if u == nil {
			u = &Unfinished{OperationID: id, Kind: kindOfCreate(id)}
			found[id] = u
		}
		done[id] = done[id] || step == vm.StepDone
		u.add(item, tags)
	}
	var all []Unfinished
	for id, u := range found {
		if done[id] {
			continue
		}
		if of := copies[CopyKey(id)]; of != nil {
			u.Resources = append(u.Resources, of.Resources...)
			taken[CopyKey(id)] = true
		}
		all = append(all, *u)
	}
	for key, u := range copies {
		if !taken[key] {
			all = append(all, *u)
		}
	}
	for _, u := range all {
		slices.Sort(u.Resources)
	}
	slices.SortFunc(all, func(a, b Unfinished) int {
		if a.Created != nil && b.Created != nil && !a.Created.Equal(*b.Created) {
			return a.Created.Compare(*b.Created)
		}
		return strings.Compare(a.OperationID, b.OperationID)
	})
	return all, nil
}

// CopyOperation is the id of the operation that makes a VM of another one's disks: kind is "clone" or "bake", rest whatever
// tells several of them apart. Unfinished knows them by that.
func CopyOperation(kind, rest string) string { return kind + "-" + rest }

// CopyKey is what the operation id of a copy shares with the snapshots that it is made from; empty for others.
func CopyKey(id string) string {
	parts := strings.SplitN(id, "-", 3)
	if kindOfCreate(id) == "new" || len(parts) < 2 {
		return ""
	}
	return parts[1]
}

// kindOfCreate is what an operation id tells of who makes the VM.
func kindOfCreate(id string) string {
	for _, kind := range []string{"clone", "bake"} {
		if strings.HasPrefix(id, CopyOperation(kind, "")) {
			return kind
		}
	}
	return "new"
}

// add counts one resource of the create, and takes from it what it tells.
func (u *Unfinished) add(item *armresources.GenericResourceExpanded, tags map[string]string) {
	u.Resources = append(u.Resources, azure.Value(item.ID))
	u.Region = azure.Value(item.Location)
	u.Owner, _ = azure.Tag(tags, azure.TagOwner)
	u.Source, _ = azure.Tag(tags, azure.TagSource)
	u.Image, _ = azure.Tag(tags, azure.TagImage)
	if id, err := azure.ParseID(azure.Value(item.ID)); err == nil {
		u.ResourceGroup = id.ResourceGroup
	}
	if created, ok := azure.Tag(tags, azure.TagCreated); ok {
		if t, err := time.Parse(time.RFC3339, created); err == nil && (u.Created == nil || t.Before(*u.Created)) {
			u.Created = &t
		}
	}
	name := azure.Value(item.Name)
	if strings.EqualFold(azure.Value(item.Type), "Microsoft.Compute/virtualMachines") {
		u.Name, u.HasVM = name, true
		return
	}
	if strings.EqualFold(azure.Value(item.Type), "Microsoft.Compute/snapshots") {
		return // whose name follows from the source's
	}
	// The names follow from the VM's, so any of them tells it.
	n := vm.NamesOf("")
	for _, suffix := range []string{n.NIC, n.PublicIP, n.NSG, n.OSDisk} {
		if base, ok := strings.CutSuffix(name, suffix); ok && u.Name == "" {
			u.Name = base
		}
	}
}
