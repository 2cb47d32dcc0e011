// Package prune deletes VMs that have not been used for a long time.
// A VM is idle only when that is certain: from the VM itself while it runs, from Azure's time of deallocation otherwise. A
// VM in doubt is kept.
package prune

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/batch"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/health/status"
	"github.com/azlin-dev/azlin/vm"
)

// DefaultIdle is how long an idle VM has been unused, by default.
const DefaultIdle = 30 * 24 * time.Hour

// busy is the CPU use of a VM's processes, in percent of one processor, from which it counts as used, whoever started them.
const busy = 20

// Verdict is the decision on a VM.
type Verdict string

// The verdicts. Only Idle VMs are deleted.
const (
	Idle      Verdict = "idle"
	InUse     Verdict = "in use"
	Protected Verdict = "protected" // by the tag azlin-protected
	Unknown   Verdict = "unknown"   // its last use is unknown
)

// VM is a VM and what is known about its use.
type VM struct {
	status.VM

	Verdict Verdict
	Used    *time.Time // UTC: its last use; nil: unknown
	Basis   string     // the source of Used
}

// Pruner finds and deletes idle VMs.
type Pruner struct {
	Statuses status.Dashboard
	Clock    *azure.Clock // nil: this machine's
}

// Options define when VMs are idle, and how they are reached. The zero value is ready for use.
type Options struct {
	status.Options

	Idle time.Duration // how long a VM has not been used; zero: DefaultIdle
}

// Find lists azlin's VMs in a group (empty: the subscription) and connects to the running ones in parallel.
func (p Pruner) Find(ctx context.Context, group string, o Options) ([]VM, error) {
	report, err := p.Statuses.List(ctx, vm.ListOptions{ResourceGroup: group}, o.Options)
	if err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, err
	}
	found := make([]VM, len(report.VMs))
	for n, v := range report.VMs {
		found[n] = p.judge(v, o)
	}
	return found, nil
}

// Judge is Find for VMs that are already listed.
func (p Pruner) Judge(ctx context.Context, vms []vm.Info, o Options) []VM {
	judged := make([]VM, 0, len(vms))
	for _, v := range p.Statuses.Of(ctx, vms, o.Options) {
		judged = append(judged, p.judge(v, o))
	}
	return judged
}

func (p Pruner) now() time.Time {
	if p.Clock == nil {
		return time.Now().UTC()
	}
	return p.Clock.Now()
}

// judge decides on a VM.
func (p Pruner) judge(v status.VM, o Options) VM {
	out := VM{VM: v, Verdict: Unknown}
	if _, ok := azure.Tag(v.Info.Tags, azure.TagProtected); ok {
		out.Verdict, out.Basis = Protected, "tag "+azure.TagProtected
		return out
	}
	later := func(t *time.Time, basis string) {
		if t != nil && (out.Used == nil || t.After(*out.Used)) {
			out.Used, out.Basis = t, basis
		}
	}
	switch {
	case v.ProvisioningState != "Succeeded":
		out.Basis = "it is " + strings.ToLower(v.ProvisioningState)
		return out
	case v.PowerState == vm.Deallocated || v.PowerState == vm.Stopped:
		if v.Info.ChangedTime == nil {
			out.Basis = "Azure does not say since when it is " + string(v.PowerState)
			return out
		}
		later(v.Info.ChangedTime, string(v.PowerState)+" since then")
	case v.PowerState == vm.Running && v.Err != nil:
		out.Basis = "it cannot be asked: " + v.Err.Error()
		return out
	case v.PowerState == vm.Running:
		for _, s := range v.TmuxSessions {
			if s.IsConnected {
				out.Verdict, out.Basis = InUse, "somebody is attached to tmux session "+s.Name
				return out
			}
		}
		if v.BusyProcesses == nil || v.LastActivity == nil || v.TmuxSessions == nil {
			out.Basis = "it does not say when it was last used"
			return out
		}
		if *v.BusyProcesses >= busy {
			out.Verdict, out.Basis = InUse, fmt.Sprintf("its processes take %g %% of a processor", *v.BusyProcesses)
			return out
		}
		// It is measured with this machine's clock; the clock of emulated resources may be ahead.
		later(new(p.now().Add(-time.Since(*v.LastActivity)).Truncate(time.Second)), "the last sign of life on it")
	default:
		out.Basis = "it is " + string(v.PowerState)
		return out
	}
	later(v.LastUsed, "the last connection from this machine")
	later(v.Info.CreatedTime, "it was made then")
	if out.Verdict = InUse; p.now().Sub(*out.Used) >= cmp.Or(o.Idle, DefaultIdle) {
		out.Verdict = Idle
	}
	return out
}

// Result is the result of one VM that was to be deleted.
type Result struct {
	VM       VM
	Deleted  bool
	Spared   string // why it was not deleted after all; empty: deletion was tried
	Deletion vm.DeletionSummary
	Err      error
}

// atOnce limits how many VMs are deleted in parallel.
const atOnce = 8

// Delete deletes the idle ones among vms, with everything that belongs to them, several in parallel. It rechecks each first:
// a VM that was used meanwhile, or is gone, is spared. It returns a result for each idle VM, in their order, and a batch.Err
// when some failed. report may be nil; it is called from several goroutines.
func (p Pruner) Delete(ctx context.Context, vms []VM, o Options, report func(step string)) ([]Result, error) {
	if report == nil {
		report = func(string) {}
	}
	var results []Result
	for _, v := range vms {
		if v.Verdict == Idle {
			results = append(results, Result{VM: v})
		}
	}
	batch.Each(ctx, len(results), atOnce, func(n int) { p.delete(ctx, &results[n], o, report) })
	var failed []batch.Failure
	for _, r := range results {
		if r.Err != nil {
			failed = append(failed, batch.Failure{Name: r.VM.Name, Err: r.Err})
		}
	}
	return results, batch.Err("delete", len(results), failed, errkind.Step{})
}

func (p Pruner) delete(ctx context.Context, r *Result, o Options, report func(string)) {
	now, err := p.Statuses.Get(ctx, r.VM.Ref, o.Options)
	switch {
	case errkind.Of(err) == errkind.NotFound || err == nil && now.Info.VMID != r.VM.Info.VMID:
		r.Spared = "it is not there any more"
		return
	case err == nil && context.Cause(ctx) != nil:
		err = context.Cause(ctx)
	}
	if err != nil {
		r.Err = err
		return
	}
	if again := p.judge(now, o); again.Verdict != Idle {
		r.Spared = "it is " + string(again.Verdict) + " now: " + again.Basis
		return
	}
	report("deleting " + r.VM.Name)
	r.Deletion, err = p.Statuses.VMs.Delete(ctx, r.VM.Ref, vm.DeleteOptions{Report: func(step string) { report(r.VM.Name + ": " + step) }})
	r.Err, r.Deleted = err, err == nil
}
