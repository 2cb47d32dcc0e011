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
	Kind string // its name in results: "vm", "nic", "disk"
	ID   azure.ID
	Name string // for messages; empty: the last one of ID
	VM   string // the VM it belongs to; empty: none
	Rank int    // lower ranks are deleted first: the users of a resource before it
	// Blocks: if it cannot be deleted, nothing of a higher rank is tried.
	Blocks bool
	// Needed (may be nil) is called right before the deletion. It returns who needs the resource after all; "": nobody.
	Needed func(context.Context) (why string, err error)

	Delete func(context.Context) error
	Exists func(context.Context) (bool, error)
}

// ErrNeeded is the cause of a failed result when somebody needs the resource after all. It was not changed.
var ErrNeeded = errors.New("it is needed again")

// The ranks of a VM's resources.
const (
	RankVM = iota
	RankNIC
	RankLeaf // addresses, security groups, disks and snapshots: no other resource of a VM uses them
	RankSubnet
	RankGateway
	RankGatewayAddress
)

// Result is the result of one resource.
type Result struct {
	ResourceType string `json:"resource_type"` // "vm", "nic", "public-ip", "nsg", "disk" or "resource-group"
	ResourceName string `json:"resource_name"`
	Success      bool   `json:"success"` // in a dry run: would be deleted
	ErrorMessage string `json:"error_message,omitempty"`

	VM  string `json:"vm,omitempty"`
	ID  string `json:"id"`
	Err error  `json:"-"`
}

// Result returns the item's result.
func (i Item) Result(err error) Result {
	r := Result{ResourceType: i.Kind, ResourceName: i.name(), VM: i.VM, ID: i.ID.String(), Err: err, Success: err == nil}
	if err != nil {
		r.ErrorMessage = err.Error()
	}
	return r
}

func (i Item) name() string { return cmp.Or(i.Name, i.ID.Name()) }

// Kept is a resource that is kept, and why.
type Kept struct {
	ResourceType string `json:"resource_type"`
	ResourceName string `json:"resource_name"`
	Reason       string `json:"reason"`
}

// Is reports whether a result is of the kept resource.
func (k Kept) Is(r Result) bool {
	return r.ResourceType == k.ResourceType && strings.EqualFold(r.ResourceName, k.ResourceName)
}

// Plan collects what is deleted and what is kept, each resource once. The zero value is ready for use. It must be used by
// one goroutine.
type Plan struct {
	VM    string // the VM of added items
	Items []Item
	Kept  []Kept

	seen map[string]bool // keys of ids in Items or Kept
}

// Seen reports whether a resource was already added or kept.
func (p *Plan) Seen(id azure.ID) bool { return p.seen[id.Key()] }

// Add plans to delete a resource, unless it was already added or kept.
func (p *Plan) Add(item Item) {
	if p.see(item.ID) {
		item.VM = p.VM
		p.Items = append(p.Items, item)
	}
}

// Keep records that a resource is kept, unless it was already added or kept.
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
