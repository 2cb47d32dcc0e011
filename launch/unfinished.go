package launch

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/progress"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/provision"
)

// Handler finds, resumes and abandons unfinished launches. Only the machine that began a launch has its full request:
// elsewhere it can be abandoned, or launched again with its name by its owner.
func (l *Launcher) Handler() change.Handler {
	return change.Handler{
		Kinds:   []change.Kind{change.New},
		Find:    func(all []change.Resource) []change.Unfinished { return provision.Unfinished(all, change.New) },
		Resume:  l.resume,
		Abandon: l.abandon,
	}
}

func (l *Launcher) resume(ctx context.Context, u change.Unfinished) (change.Plan, error) {
	if !u.Here() {
		return change.Plan{}, &errkind.Error{
			Kind: errkind.NotFound, Err: fmt.Errorf("%s began it, and what else was asked for is known on their machine only", cmp.Or(u.Owner, "somebody")),
			Next: errkind.Step{Action: errkind.CreateVM, VM: u.VM, Group: u.ResourceGroup},
		}
	}
	plan, err := l.Plan(ctx, Request{Config: provision.Config{Name: u.VM, ResourceGroup: u.ResourceGroup}}, progress.New(len(Stages()), nil))
	if err != nil {
		return change.Plan{}, err
	}
	return change.Plan{
		Steps: []string{"make " + u.VM + " as it was asked for, where that is missing", "sign in to it", "clone its repository and install its tools"},
		Notes: plan.Notes,
		Run: func(ctx context.Context, report func(string)) (any, error) {
			return l.Run(ctx, plan, progress.New(len(Stages()), func(e progress.Event) { report(strings.TrimSpace(e.Stage.Description + " " + e.Message)) }))
		},
	}, nil
}

// abandon deletes what a launch created, and this machine's records of it.
func (l *Launcher) abandon(ctx context.Context, u change.Unfinished) (change.Plan, error) {
	p, err := l.Provisioner.Undo(ctx, u)
	if err != nil {
		return p, err
	}
	vmID := ""
	if u.HasVM {
		i, err := l.VMs.Peek(ctx, vm.Ref{Name: u.VM, ResourceGroup: u.ResourceGroup})
		if err != nil && !azure.IsNotFound(err) {
			return p, err
		}
		vmID = i.VMID
	}
	if u.Here() {
		p.Steps = append(p.Steps, "forget what was asked for, and the host key")
	}
	undo := p.Run
	p.Run = func(ctx context.Context, report func(string)) (any, error) {
		if result, err := undo(ctx, report); err != nil {
			return result, err
		}
		if vmID == "" {
			return nil, nil
		}
		return nil, l.Reach.KnownHosts.Forget(ctx, vmID)
	}
	return p, nil
}
