package resize

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm"
)

// record is the content of the tag azlin-resize, which exists until the resize ends.
type record struct {
	id     string
	from   string        // the previous size
	to     string        // the requested size; empty: an older azlin wrote the tag without it
	before vm.PowerState // the power state to restore
	begun  string        // RFC 3339; empty: unknown
}

// stepBegun is the only step in the mark: the VM itself shows how far the resize came.
const stepBegun = "begun"

func (p Plan) record(now time.Time) record {
	return record{id: operation(p.id), from: p.From.Name, to: p.To.Name, before: p.Before, begun: cmp.Or(p.begun, now.UTC().Format(time.RFC3339))}
}

// operation is the id of a VM's resize. There can be only one.
func operation(vmID string) string { return "resize-" + change.KeyOf(vmID) }

// String is the tag's text, and parseRecord its reverse.
func (r record) String() string {
	return change.Mark{Kind: change.Resize, ID: r.id, Step: stepBegun, With: map[string]string{
		"from": r.from, "to": r.to, "power": string(r.before), "at": r.begun,
	}}.String()
}

// parseRecord also reads the format of older versions: "Standard_B2s running".
func parseRecord(text string) (r record, ok bool) {
	if m, is := change.ParseMark(text); is && m.Kind == change.Resize {
		r = record{id: m.ID, from: m.With["from"], to: m.With["to"], before: vm.PowerState(m.With["power"]), begun: m.With["at"]}
	} else {
		size, power, _ := strings.Cut(text, " ")
		r = record{from: size, before: vm.PowerState(power)}
	}
	return r, r.from != "" && (r.before == vm.Running || r.before == vm.Stopped || r.before == vm.Deallocated)
}

// Handler finds, resumes and abandons unfinished resizes.
func (s *Resizer) Handler() change.Handler {
	to := func(ctx context.Context, u change.Unfinished, size string) (change.Plan, error) {
		p, err := s.Plan(ctx, vm.Ref{Name: u.VM, ResourceGroup: u.ResourceGroup}, size)
		return change.Plan{
			Steps: p.steps(), Notes: p.Notes,
			Run: func(ctx context.Context, report func(string)) (any, error) { return s.Run(ctx, p, report) },
		}, err
	}
	return change.Handler{
		Kinds: []change.Kind{change.Resize},
		Find:  find,
		Resume: func(ctx context.Context, u change.Unfinished) (change.Plan, error) {
			if u.With["to"] == "" {
				return change.Plan{}, errkind.New(errkind.Conflict, "which size was asked for is not known, as an earlier azlin began it: resize %s to that size again, or abandon the operation, which gives it back %s", u.VM, u.With["from"])
			}
			return to(ctx, u, u.With["to"])
		},
		Abandon: func(ctx context.Context, u change.Unfinished) (change.Plan, error) { return to(ctx, u, u.With["from"]) },
	}
}

func find(all []change.Resource) []change.Unfinished {
	var found []change.Unfinished
	for _, r := range all {
		was, ok := parseRecord(r.Tag(azure.TagResize))
		if !ok || !r.ID.IsType("Microsoft.Compute/virtualMachines") {
			continue
		}
		u := change.Unfinished{ID: operation(r.ID.String()), Kind: change.Resize, HasVM: true, Step: strings.TrimSpace("from " + was.from + " to " + was.to)}
		if was.to == "" {
			u.Step = "from " + was.from
		}
		u.Add(r)
		u.On(r.ID.Name())
		// The VM's other tags describe how it was created, not the resize.
		u.Created, u.Source, u.Image = nil, "", ""
		if at, err := time.Parse(time.RFC3339, was.begun); err == nil {
			u.Created = &at
		}
		u.With = map[string]string{"from": was.from, "to": was.to}
		found = append(found, u)
	}
	return found
}

// steps lists what Run will do.
func (p Plan) steps() []string {
	var steps []string
	if p.Now != vm.Deallocated {
		steps = append(steps, "deallocate "+p.Name)
	}
	if !strings.EqualFold(p.current, p.To.Name) {
		steps = append(steps, "change it from "+p.current+" to "+p.To.Name)
	}
	switch p.Before {
	case vm.Running:
		steps = append(steps, "start it")
	case vm.Stopped:
		steps = append(steps, "start it, and stop it, as it was")
	}
	if p.Now == p.Before && strings.EqualFold(p.current, p.To.Name) {
		steps = nil // only the tag is left
	}
	return append(steps, "take the tag of the resize away")
}
