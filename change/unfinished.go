package change

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/azlin-dev/azlin/azure"
)

// Unfinished is an unfinished operation, from azlin's tags, this machine's record, or both.
type Unfinished struct {
	ID            string
	Kind          Kind
	VM            string   // the first of several; empty: none, or none yet
	VMs           []string // all existing VMs it works on; empty for a rotation of keys
	ResourceGroup string
	Subscription  string
	Region        string     // empty: only this machine's file records it
	Created       *time.Time // UTC; nil: unknown
	Updated       *time.Time // UTC; nil: not updated, or unknown
	Step          string     // how far it came; empty: unknown
	LastError     string     // why it stopped; empty: it was interrupted, or is still running
	Owner         string     // who started it, from the tags; empty: unknown
	Source        string     // for a copy: the VM that has the disks
	Image         string     // for a bake: the image's name, and its version once decided
	HasVM         bool       // its VM exists
	Resources     []string   // ids of what it has created so far, sorted; nil: nothing, or not read
	With          map[string]string

	File *Operation // this machine's record; nil: none
}

// Here reports whether this machine has the request.
func (u Unfinished) Here() bool { return u.File != nil }

// Request is the request in the file; nil: not on this machine.
func (u Unfinished) Request() json.RawMessage {
	if u.File == nil {
		return nil
	}
	return u.File.Request
}

// Add adds a resource to the operation, with the data in its tags.
func (u *Unfinished) Add(r Resource) {
	u.Resources = append(u.Resources, r.ID.String())
	u.Region, u.ResourceGroup = cmp.Or(u.Region, r.Region), cmp.Or(u.ResourceGroup, r.ID.ResourceGroup)
	u.Owner, u.Source = cmp.Or(u.Owner, r.Tag(azure.TagOwner)), cmp.Or(u.Source, r.Tag(azure.TagSource))
	if image := r.Tag(azure.TagImage); len(image) > len(u.Image) { // the longer one has the version
		u.Image = image
	}
	if r.Made != nil && (u.Created == nil || r.Made.Before(*u.Created)) {
		u.Created = r.Made
	}
	if m, ok := r.Mark(); ok && len(m.With) > 0 {
		u.With = m.With
	}
}

// On adds a VM to the operation.
func (u *Unfinished) On(name string) {
	if name != "" && !slices.Contains(u.VMs, name) {
		u.VMs = append(u.VMs, name)
		slices.Sort(u.VMs)
		u.VM = u.VMs[0]
	}
}

// remembered adds the data of this machine's file.
func (u *Unfinished) remembered(op *Operation) {
	u.File, u.ID, u.Kind, u.Subscription = op, op.ID, op.Kind, op.Subscription
	u.ResourceGroup = cmp.Or(u.ResourceGroup, op.Group)
	u.On(op.Name)
	u.Created, u.Step, u.LastError = &op.Created, cmp.Or(op.Stage, u.Step), op.LastError
	if !op.Updated.IsZero() {
		u.Updated = &op.Updated
	}
}

// ByAge sorts operations, oldest first.
func ByAge(all []Unfinished) {
	slices.SortStableFunc(all, func(a, b Unfinished) int {
		if a.Created != nil && b.Created != nil && !a.Created.Equal(*b.Created) {
			return a.Created.Compare(*b.Created)
		}
		return cmp.Compare(a.ID, b.ID)
	})
}
