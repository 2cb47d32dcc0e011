package teardown

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/azlin-dev/azlin/azure"
)

// Item is one resource to delete.
type Item struct {
	Kind string // what results call it: "vm", "nic", "disk"
	ID   azure.ID
	Name string // for people; empty: the last one of ID
	VM   string // that it belongs to; empty: none
	Rank int    // what uses another resource goes before it: lower ranks are deleted first
	// Blocks: when it could not be deleted, nothing of a higher rank is tried.
	Blocks bool
	// Needed (may be nil) is asked right before the deletion whether somebody needs it after all, and why; "" is nobody.
	Needed func(context.Context) (why string, err error)

	Delete func(context.Context) error
	Exists func(context.Context) (bool, error)
}

// ErrNeeded is the cause of a failed result when somebody needs the resource after all. It was not touched.
var ErrNeeded = errors.New("it is needed again")

// The ranks of what belongs to VMs.
const (
	RankVM = iota
	RankNIC
	RankLeaf // addresses, security groups, disks and snapshots: nothing of a VM hangs on them
	RankSubnet
	RankGateway
	RankGatewayAddress
)

// Result is what came of one resource.
type Result struct {
	ResourceType string `json:"resource_type"` // "vm", "nic", "public-ip", "nsg", "disk" or "resource-group"
	ResourceName string `json:"resource_name"`
	Success      bool   `json:"success"` // in a dry run: would be deleted
	ErrorMessage string `json:"error_message,omitempty"`

	VM  string `json:"vm,omitempty"`
	ID  string `json:"id"`
	Err error  `json:"-"`
}

// Result describes the item with what came of it.
func (i Item) Result(err error) Result {
	r := Result{ResourceType: i.Kind, ResourceName: i.name(), VM: i.VM, ID: i.ID.String(), Err: err, Success: err == nil}
	if err != nil {
		r.ErrorMessage = err.Error()
	}
	return r
}

func (i Item) name() string { return cmp.Or(i.Name, i.ID.Name()) }

// Kept is a resource that stays, and why.
type Kept struct {
	ResourceType string `json:"resource_type"`
	ResourceName string `json:"resource_name"`
	Reason       string `json:"reason"`
}

// Is reports whether a result is of the resource that was to stay.
func (k Kept) Is(r Result) bool {
	return r.ResourceType == k.ResourceType && strings.EqualFold(r.ResourceName, k.ResourceName)
}

// Plan collects what goes and what stays, each resource once. The zero value is ready. It belongs to one goroutine.
type Plan struct {
	VM    string // that items belong to
	Items []Item
	Kept  []Kept

	seen map[string]bool // keys of ids in Items or Kept
}

// Seen reports whether something was decided about a resource.
func (p *Plan) Seen(id azure.ID) bool { return p.seen[id.Key()] }

// Add plans a resource, unless something was decided about it.
func (p *Plan) Add(item Item) {
	if p.see(item.ID) {
		item.VM = p.VM
		p.Items = append(p.Items, item)
	}
}

// Keep notes that a resource stays, unless something was decided about it.
func (p *Plan) Keep(kind string, id azure.ID, why string) {
	if p.see(id) {
		p.Kept = append(p.Kept, Kept{ResourceType: kind, ResourceName: id.Name(), Reason: why})
	}
}

func (p *Plan) see(id azure.ID) (first bool) {
	if p.Seen(id) {
		return false
	}
	if p.seen == nil {
		p.seen = map[string]bool{}
	}
	p.seen[id.Key()] = true
	return true
}

// Has reports whether a resource will be deleted.
func (p *Plan) Has(id string) bool {
	for _, item := range p.Items {
		if azure.SameID(item.ID.String(), id) {
			return true
		}
	}
	return false
}
