package change

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/azlin-dev/azlin/azure"
)

// Unfinished is an operation that has not ended, as everybody sees it: by what azlin's tags tell, by what this machine
// remembers, or by both.
type Unfinished struct {
	ID            string
	Kind          Kind
	VM            string   // of several the first; empty: there is none, or none yet
	VMs           []string // all that it works on, as far as they are there; of a rotation of keys none
	ResourceGroup string
	Subscription  string
	Region        string     // empty: only this machine's file tells of it
	Created       *time.Time // UTC; nil: not known
	Updated       *time.Time // UTC; nil: not since Created, or not known
	Step          string     // how far it came; empty: not known
	LastError     string     // why it stopped there; empty: it was cut off, or is at work
	Owner         string     // who began it, by the tags; empty: not known
	Source        string     // of a copy: the VM whose disks it begins with
	Image         string     // of an image that is baked: its name, and its version when that is settled
	HasVM         bool       // its VM is there
	Resources     []string   // ids of what it has made so far, sorted; nil: nothing, or not looked for
	With          map[string]string

	File *Operation // what this machine remembers of it; nil: nothing
}

// Here is whether this machine remembers what was asked for.
func (u Unfinished) Here() bool { return u.File != nil }

// Request is what was asked for, as the file keeps it; nil: not known here.
func (u Unfinished) Request() json.RawMessage {
	if u.File == nil {
		return nil
	}
	return u.File.Request
}

// Add counts a resource to the operation, and takes from it what it tells.
func (u *Unfinished) Add(r Resource) {
	u.Resources = append(u.Resources, r.ID.String())
	u.Region, u.ResourceGroup = cmp.Or(u.Region, r.Region), cmp.Or(u.ResourceGroup, r.ID.ResourceGroup)
	u.Owner, u.Source = cmp.Or(u.Owner, r.Tag(azure.TagOwner)), cmp.Or(u.Source, r.Tag(azure.TagSource))
	if image := r.Tag(azure.TagImage); len(image) > len(u.Image) { // with its version, once that is settled
		u.Image = image
	}
	if r.Made != nil && (u.Created == nil || r.Made.Before(*u.Created)) {
		u.Created = r.Made
	}
	if m, ok := r.Mark(); ok && len(m.With) > 0 {
		u.With = m.With
	}
}

// On counts a VM to the operation.
func (u *Unfinished) On(name string) {
	if name != "" && !slices.Contains(u.VMs, name) {
		u.VMs = append(u.VMs, name)
		slices.Sort(u.VMs)
		u.VM = u.VMs[0]
	}
}

// remembered adds what this machine's file says.
func (u *Unfinished) remembered(op *Operation) {
	u.File, u.ID, u.Kind, u.Subscription = op, op.ID, op.Kind, op.Subscription
	u.ResourceGroup = cmp.Or(u.ResourceGroup, op.Group)
	u.On(op.Name)
	u.Created, u.Step, u.LastError = &op.Created, cmp.Or(op.Stage, u.Step), op.LastError
	if !op.Updated.IsZero() {
		u.Updated = &op.Updated
	}
}

// ByAge sorts operations, the oldest first.
func ByAge(all []Unfinished) {
	slices.SortStableFunc(all, func(a, b Unfinished) int {
		if a.Created != nil && b.Created != nil && !a.Created.Equal(*b.Created) {
			return a.Created.Compare(*b.Created)
		}
		return cmp.Compare(a.ID, b.ID)
	})
}
