package compute

import (
	"slices"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
)

// PowerHistory is what became of one VM, as those who pay for it have to know.
type PowerHistory struct {
	ID       string       `json:"id"`
	VMID     string       `json:"vm_id"`
	Location string       `json:"location"`
	Spot     bool         `json:"spot"`
	Events   []PowerEvent `json:"events"` // the oldest first
}

// PowerEvent is that a VM came into a state.
type PowerEvent struct {
	At    time.Time `json:"at"`    // in the cloud's time, UTC
	State string    `json:"state"` // "starting", "running", "stopping", "stopped", "deallocating", "deallocated", "deleted"; "resized"; "" when it was refused its hardware
	Size  string    `json:"size"`
}

const (
	historyPrefix = "power/"
	stateResized  = "resized"
	stateDeleted  = "deleted"
)

func historyKey(vm *arm.Resource) string {
	return historyPrefix + azjson.Str(vm.Body, "properties", "vmId")
}

// remember notes that a VM came into a state at a time.
func (p *Provider) remember(vm *arm.Resource, state string, at time.Time) {
	key := historyKey(vm)
	note := azjson.Object{"id": vm.ID, "location": vm.Location(), "spot": isSpot(vm.Body)}
	events := azjson.List(p.s.Note(key), "events")
	if n := len(events); n > 0 && azjson.Str(events[n-1], "state") == state && state != stateResized {
		return
	}
	// A new list each time: what is being saved is not changed.
	note["events"] = append(slices.Clip(events), azjson.Object{
		"at": at.UTC().Format(time.RFC3339Nano), "state": state, "size": azjson.Str(vm.Body, "properties", "hardwareProfile", "vmSize"),
	})
	p.s.PutNote(key, note)
}

// rememberSize notes that a VM has another size than it had.
func (p *Provider) rememberSize(vm *arm.Resource) {
	events := azjson.List(p.s.Note(historyKey(vm)), "events")
	size := azjson.Str(vm.Body, "properties", "hardwareProfile", "vmSize")
	if n := len(events); n > 0 && !azjson.Fold(azjson.Str(events[n-1], "size"), size) {
		p.remember(vm, stateResized, p.s.Now())
	}
}

// reborn forgets what was remembered of a VM and lets it begin at another time.
func (p *Provider) reborn(vm *arm.Resource, states ...PowerEvent) {
	p.s.PutNote(historyKey(vm), azjson.Object{})
	for _, e := range states {
		p.remember(vm, e.State, e.At)
	}
}

// PowerHistory is the history of the VMs that have or had an id, or of all when that is empty. Callers hold the
// server's lock.
func (p *Provider) PowerHistory(id string) []PowerHistory {
	l := []PowerHistory{}
	for _, key := range p.s.Notes(historyPrefix) {
		note := p.s.Note(key)
		h := PowerHistory{ID: azjson.Str(note, "id"), VMID: key[len(historyPrefix):], Location: azjson.Str(note, "location"), Spot: azjson.Bool(note, "spot")}
		if id != "" && resourceid.Key(id) != resourceid.Key(h.ID) {
			continue
		}
		for _, e := range azjson.List(note, "events") {
			at, err := time.Parse(time.RFC3339Nano, azjson.Str(e, "at"))
			if err != nil {
				continue // what is unreadable tells nothing
			}
			h.Events = append(h.Events, PowerEvent{At: at, State: azjson.Str(e, "state"), Size: azjson.Str(e, "size")})
		}
		l = append(l, h)
	}
	return l
}
