package keys

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/azlin-dev/azlin/change"
)

// Handler finds and resumes rotations that were interrupted, or could not reach every VM.
func (r *Rotator) Handler() change.Handler {
	return change.Handler{
		Kinds: []change.Kind{change.RotateKeys},
		Stays: "some VMs may have the new key and others the old one: going on is what leaves one key that opens all of them, and forgetting it leaves both keys where they are",
		Resume: func(ctx context.Context, _ change.Unfinished) (change.Plan, error) {
			p, err := r.Plan(ctx, nil, "", Options{})
			if err != nil {
				return change.Plan{}, err
			}
			var steps []string
			for _, t := range p.VMs {
				step := fmt.Sprintf("%s: %s", t.VM.Name, t.Action)
				if t.Err != nil {
					step += ": " + t.Err.Error()
				}
				steps = append(steps, step)
			}
			return change.Plan{Steps: steps, Run: func(ctx context.Context, report func(string)) (any, error) {
				p.Report(func(s Step) {
					if !s.Done {
						report(strings.TrimSpace(s.VM.Name + " " + s.Name))
					}
				})
				results, err := r.Run(ctx, p)
				for _, one := range results {
					err = errors.Join(err, one.Err)
				}
				return results, err
			}}, nil
		},
	}
}
