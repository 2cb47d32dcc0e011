package image

import (
	"context"
	"strings"

	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/provision"
)

// mark is the snapshot's tag value: everything another machine needs to resume the request.
func (p Plan) mark() string {
	m := change.Mark{Kind: change.Bake, ID: p.key, Step: change.StepSnapshot}
	if p.request.Size != "" {
		m.With = map[string]string{"size": p.request.Size}
	}
	return m.String()
}

// Handler finds, resumes and abandons unfinished images.
func (b *Baker) Handler() change.Handler {
	return change.Handler{
		Kinds: []change.Kind{change.Bake},
		Find:  func(all []change.Resource) []change.Unfinished { return provision.Unfinished(all, change.Bake) },
		Resume: func(ctx context.Context, u change.Unfinished) (change.Plan, error) {
			p, err := b.planAgain(ctx, u)
			return change.Plan{
				Steps: p.steps(), Notes: p.Notes,
				Run: func(ctx context.Context, report func(string)) (any, error) { return b.Run(ctx, p, report) },
			}, err
		},
		Abandon: func(ctx context.Context, u change.Unfinished) (change.Plan, error) {
			p, err := b.Provisioner.Undo(ctx, u)
			name, _, _ := strings.Cut(u.Image, ":")
			if err != nil || name == "" {
				return p, err
			}
			p.Steps = append(p.Steps, "delete image "+name+" if it has no version")
			undo := p.Run
			p.Run = func(ctx context.Context, report func(string)) (any, error) {
				if result, err := undo(ctx, report); err != nil {
					return result, err
				}
				return nil, b.clear(ctx, u.ResourceGroup, name, report)
			}
			return p, nil
		},
	}
}

// planAgain plans the request that the tags describe.
func (b *Baker) planAgain(ctx context.Context, u change.Unfinished) (Plan, error) {
	name, _, _ := strings.Cut(u.Image, ":")
	if u.Source == "" || name == "" {
		return Plan{}, errkind.New(errkind.Conflict, "which VM it is of, or which image it makes, is not known: it can be abandoned only")
	}
	source, err := b.VMs.Get(ctx, vm.Ref{Name: u.Source, ResourceGroup: u.ResourceGroup})
	if err != nil {
		return Plan{}, err
	}
	p, err := b.Plan(ctx, Request{Source: source, Name: name, Size: u.With["size"]})
	if err == nil && p.config.OperationID != u.ID {
		err = errkind.New(errkind.Conflict, "%s is not the VM any more that it began with: it can be abandoned only", u.Source)
	}
	return p, err
}

// steps lists what Run will do.
func (p Plan) steps() []string {
	var steps []string
	if !p.published {
		if !p.built {
			steps = append(steps, "copy the disk of "+p.Source.Name+" to the temporary VM "+p.Builder)
		}
		steps = append(steps, "clean the copy, and switch it off", "publish "+p.Name+" "+p.Version)
	}
	return append(steps, "delete "+p.Builder+", and its snapshot")
}
