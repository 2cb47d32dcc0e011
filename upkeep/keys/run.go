package keys

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"time"

	"github.com/azlin-dev/azlin/batch"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/vm"
)

// work is a running rotation.
type work struct {
	*Rotator
	*Plan

	results []KeyRotationResult
	touched int // VMs that may have the new key
}

// Run carries out a plan. Failures are in the results; the next rotation resumes them.
func (r *Rotator) Run(ctx context.Context, p *Plan) (results []KeyRotationResult, err error) {
	if err := r.Reach.Guard.Check("rotate keys", ""); err != nil {
		return nil, err
	}
	w := &work{Rotator: r, Plan: p}
	for _, t := range p.VMs {
		w.results = append(w.results, KeyRotationResult{Ref: t.VM.Ref})
	}
	if len(p.VMs) == 0 && !p.Resumes {
		return nil, nil
	}
	err = r.Backups.locked(ctx, func() error { return w.run(ctx) })
	backedUp := p.state.Backup != ""
	for n := range w.results {
		result := &w.results[n]
		result.OldKeyBackedUp, result.BackupPath = backedUp, p.state.Backup
		if result.Err == nil && !result.Success {
			result.Err = cmp.Or(err, context.Cause(ctx))
		}
		result.ErrorMessage = text(result.Err)
	}
	if err == nil {
		err = w.failures()
	}
	return w.results, err
}

// failures is the error for VMs whose key was not replaced; nil: all have the new key.
func (w *work) failures() error {
	var failed []batch.Failure
	for _, r := range w.results {
		if r.Err != nil {
			failed = append(failed, batch.Failure{Name: r.Name, Err: r.Err})
		}
	}
	return errkind.Classed(ErrVMs, batch.Err("rotate keys", len(w.results), failed, errkind.Step{}))
}

func (w *work) run(ctx context.Context) error {
	steps := []struct {
		name string
		do   func(context.Context) error
	}{
		{"check keys", w.alone},
		{"save operation", func(context.Context) error { return w.save("add", nil) }},
		{"back up old key", w.backUp},
		{"make new key", w.generate},
	}
	for _, s := range steps {
		if err := w.step(ctx, vm.Ref{}, s.name, s.do); err != nil {
			return err
		}
	}
	w.each(ctx, w.addTo)
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if !slices.ContainsFunc(w.results, func(r KeyRotationResult) bool { return r.Added }) && len(w.Plan.VMs) > 0 && !w.state.Switched {
		return w.step(ctx, vm.Ref{}, "forget operation", w.undo)
	}
	if w.state.Switch {
		if err := w.step(ctx, vm.Ref{}, "switch default key", w.switchDefault); err != nil {
			return err
		}
	}
	w.each(ctx, w.removeFrom)
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if len(w.state.VMs) > 0 {
		return w.step(ctx, vm.Ref{}, "save operation", func(context.Context) error { return w.save("waiting for VMs", w.firstFailure()) })
	}
	return w.step(ctx, vm.Ref{}, "forget operation", w.finish)
}

// step runs a named step, unless the rotation was interrupted.
func (w *work) step(ctx context.Context, on vm.Ref, name string, do func(context.Context) error) error {
	say := func(s Step) {
		if w.options.Report != nil {
			w.options.Report(s)
		}
	}
	say(Step{VM: on, Name: name})
	err := context.Cause(ctx)
	if err == nil {
		err = do(ctx)
	}
	say(Step{VM: on, Name: name, Done: true, Err: err})
	if err == nil {
		err = context.Cause(ctx)
	}
	return err
}

// alone checks that no other rotation ran between the plan and the lock.
func (w *work) alone(ctx context.Context) error {
	other, err := w.Unfinished()
	if err != nil {
		return err
	}
	same := other == nil && !w.Resumes || other != nil && w.Resumes && other.ID == w.op.ID && other.Updated.Equal(w.op.Updated)
	if same {
		return w.unchanged(ctx)
	}
	return &errkind.Error{
		Kind: errkind.Conflict, Op: "rotate keys", Class: ErrRotation,
		Err: errors.New("another azlin has rotated keys meanwhile; nothing more was done"), Next: errkind.Step{Action: errkind.ListKeys},
	}
}

// unchanged checks that the keys are still those of the plan.
func (w *work) unchanged(context.Context) error {
	if !w.state.Switch {
		return nil
	}
	now, err := Public(w.DefaultKey)
	if err != nil {
		return keyError("rotate keys", w.DefaultKey, err)
	}
	if keypair.Same(now.Public, w.Old.Public) || w.New.Public != nil && keypair.Same(now.Public, w.New.Public) {
		return nil
	}
	changed := &errkind.Error{
		Kind: errkind.Conflict, Op: "rotate keys", Resource: w.DefaultKey, Class: ErrRotation,
		Err: errors.New("the default key is neither the old key nor the new one any more: it was changed meanwhile, and nothing more was done"),
	}
	if w.Resumes {
		changed.Next = errkind.Step{Action: errkind.ForgetOperation, Name: w.op.ID}
	}
	return changed
}

func (w *work) save(stage string, failure error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	data, err := json.Marshal(w.state)
	if err != nil {
		return err
	}
	w.op.Request, w.op.Stage, w.op.LastError = data, stage, text(failure)
	return w.Operations.Save(w.op, time.Now())
}

// backUp copies the old key from its current path.
func (w *work) backUp(context.Context) error {
	if w.state.Backup != "" || w.Backups.Dir == "" {
		return nil
	}
	k, err := Public(w.state.OldPath)
	if err == nil && !keypair.Same(k.Public, w.Old.Public) {
		err = errors.New("it holds another key by now")
	}
	if err != nil {
		return keyError("back up key", w.state.OldPath, err)
	}
	made, err := w.Backups.keep(w.state.OldPath, time.Now())
	if err != nil {
		return err
	}
	w.state.Backup = made.Path
	return w.save("add", nil)
}

// generate generates the new key if none was given. One generated earlier is reused.
func (w *work) generate(ctx context.Context) error {
	if w.New.Public != nil && w.state.New != "" {
		return nil
	}
	if w.New.Public == nil {
		if err := w.forgetGenerated(); err != nil { // the remains of an interrupted generation
			return keyError("make key", w.state.NewPath, err)
		}
		pair, err := keypair.GenerateKeyPair(filepath.Dir(w.state.NewPath), filepath.Base(w.state.NewPath))
		if err != nil {
			return err
		}
		if w.New, err = Read(ctx, pair.Private, ""); err != nil {
			return err
		}
	}
	w.state.New = keyOnly(w.New)
	return w.save("add", nil)
}

// each calls do for the reachable VMs in parallel.
func (w *work) each(ctx context.Context, do func(context.Context, *Target, *KeyRotationResult) error) {
	batch.Each(ctx, len(w.Plan.VMs), atOnce, func(n int) {
		t, result := &w.Plan.VMs[n], &w.results[n]
		if t.Action == Skip {
			result.Err = t.Err
		}
		if result.Err != nil {
			return
		}
		ctx, cancel := w.limitOf(ctx, t)
		defer cancel()
		if err := late(ctx, t.VM.Name, do(ctx, t, result)); err != nil {
			result.Err = &errkind.Error{Kind: errkind.Of(err), Op: "rotate key of", Resource: t.VM.Name, Class: ErrRotation, Err: err}
		}
	})
}

// switchDefault makes the new key the default key.
func (w *work) switchDefault(ctx context.Context) error {
	if !installed(w.DefaultKey, w.New) {
		if err := w.unchanged(ctx); err != nil {
			return err
		}
		if err := install(w.New.Path, w.DefaultKey); err != nil {
			return err
		}
	}
	w.state.Switched = true
	return w.save("remove", nil)
}

func (w *work) firstFailure() error {
	for _, r := range w.results {
		if r.Err != nil {
			return r.Err
		}
	}
	return nil
}

// undo ends a rotation that changed nothing.
func (w *work) undo(context.Context) error {
	if w.touched > 0 || w.Resumes {
		return w.save("add", w.firstFailure())
	}
	w.state.Backup = "" // the copy stays, but is not needed
	return errors.Join(w.forgetGenerated(), w.Operations.Remove(w.op))
}

// finish removes the rotation's temporary records.
func (w *work) finish(context.Context) error {
	var errs []error
	if w.state.Generated && installed(w.DefaultKey, w.New) {
		errs = append(errs, w.forgetGenerated())
	}
	if w.state.NoBackup && w.state.Backup != "" {
		errs = append(errs, w.Backups.forget(w.state.Backup))
		w.state.Backup = ""
	}
	return errors.Join(append(errs, w.Operations.Remove(w.op))...)
}
