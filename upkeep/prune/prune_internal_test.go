package prune

import (
	"errors"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/health/status"
	"github.com/azlin-dev/azlin/vm"
)

// TestVerdicts: only what is known to have been unused for long is idle.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC()
	long, short := now.Add(-60*24*time.Hour), now.Add(-time.Hour)
	running := status.VM{
		PowerState: vm.Running, ProvisioningState: "Succeeded", TmuxSessions: []status.TmuxSession{{Name: "work"}},
		BusyProcesses: new(0.0), LastActivity: &long, Info: vm.Info{CreatedTime: &long, ChangedTime: &long},
	}
	off := status.VM{PowerState: vm.Deallocated, ProvisioningState: "Succeeded", Info: vm.Info{CreatedTime: &long, ChangedTime: &long}}
	with := func(v status.VM, change func(*status.VM)) status.VM {
		change(&v)
		return v
	}
	for name, c := range map[string]struct {
		vm   status.VM
		want Verdict
	}{
		"untouched":              {running, Idle},
		"off for long":           {off, Idle},
		"stopped, allocated":     {with(off, func(v *status.VM) { v.PowerState = vm.Stopped }), Idle},
		"a key was typed":        {with(running, func(v *status.VM) { v.LastActivity = &short }), InUse},
		"connected to from here": {with(running, func(v *status.VM) { v.LastUsed = &short }), InUse},
		"made just now":          {with(running, func(v *status.VM) { v.Info.CreatedTime = &short }), InUse},
		"something runs":         {with(running, func(v *status.VM) { v.BusyProcesses = new(90.0) }), InUse},
		"switched off just now":  {with(off, func(v *status.VM) { v.Info.ChangedTime = &short }), InUse},
		"somebody is attached": {with(running, func(v *status.VM) {
			v.TmuxSessions = []status.TmuxSession{{Name: "work", IsConnected: true}}
		}), InUse},
		"protected":             {with(off, func(v *status.VM) { v.Info.Tags = map[string]string{"Azlin-Protected": ""} }), Protected},
		"cannot be asked":       {with(running, func(v *status.VM) { v.Err = errors.New("no route") }), Unknown},
		"does not say":          {with(running, func(v *status.VM) { v.LastActivity = nil }), Unknown},
		"no sessions known":     {with(running, func(v *status.VM) { v.TmuxSessions = nil }), Unknown},
		"no load known":         {with(running, func(v *status.VM) { v.BusyProcesses = nil }), Unknown},
		"off since when":        {with(off, func(v *status.VM) { v.Info.ChangedTime = nil }), Unknown},
		"starting":              {with(off, func(v *status.VM) { v.PowerState = vm.Starting }), Unknown},
		"state not known":       {with(off, func(v *status.VM) { v.PowerState = vm.UnknownState }), Unknown},
		"being made, or failed": {with(off, func(v *status.VM) { v.ProvisioningState = "Failed" }), Unknown},
	} {
		got := Pruner{}.judge(c.vm, Options{})
		if got.Verdict != c.want || got.Basis == "" || got.Verdict == Unknown && got.Used != nil {
			t.Errorf("%s: %s, used %v (%s); want %s", name, got.Verdict, got.Used, got.Basis, c.want)
		}
		if c.want == Idle {
			if early := (Pruner{}).judge(c.vm, Options{Idle: 90 * 24 * time.Hour}); early.Verdict != InUse {
				t.Errorf("%s: %s within 90 days", name, early.Verdict)
			}
		}
	}
	if _, ok := azure.Tag(map[string]string{azure.TagProtected: "yes"}, "AZLIN-PROTECTED"); !ok || azure.OwnTag(azure.TagProtected) {
		t.Error("people must be able to protect a VM")
	}
}
