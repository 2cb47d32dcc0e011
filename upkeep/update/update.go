package update

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/batch"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/audit"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/cloudinit"
)

// atOnce limits how many VMs are updated in parallel.
const atOnce = 10

// VM updates the tools of one VM. The result also holds the error: of kind Partial when some tools failed, Unreachable on a
// timeout or when the VM does not answer; an update that had begun then continues on the VM.
func (u Updater) VM(ctx context.Context, i vm.Info, o Options) (Result, error) {
	job, err := o.job()
	if err != nil {
		return Result{Ref: i.Ref, Err: err}, err
	}
	again := errkind.Step{Action: errkind.UpdateTools, VM: i.Name}
	if o.Tools != nil {
		again.Name = strings.Join(job.Plan(), ",")
	}
	r := u.update(ctx, i, job, o, asked{Tools: o.Tools}, cmp.Or(o.Timeout, DefaultTimeout), again)
	return r, r.Err
}

// VMs updates the tools of several VMs, ten in parallel. Each result has its VM's error; the returned error joins them and
// is Partial when some VMs succeeded: see batch.Err.
func (u Updater) VMs(ctx context.Context, infos []vm.Info, o Options) (Summary, error) {
	if _, err := o.job(); err != nil {
		return Summary{}, err
	}
	return each(ctx, infos, func(i vm.Info) Result {
		r, _ := u.VM(ctx, i, o) // the result holds the error
		return r
	})
}

// System updates all packages of a VM, as apt-get update and apt-get upgrade do, without asking: changed configuration files
// stay unchanged. The result is as from VM, with the output.
func (u Updater) System(ctx context.Context, i vm.Info, o Options) (Result, error) {
	if err := o.systemOnly(); err != nil {
		return Result{Ref: i.Ref, Err: err}, err
	}
	r := u.update(ctx, i, cloudinit.Update{System: true}, o, asked{System: true}, cmp.Or(o.Timeout, DefaultSystemTimeout), errkind.Step{Action: errkind.UpdateSystem, VM: i.Name})
	return r, r.Err
}

// Systems is System for several VMs, ten in parallel. Its error is as from VMs.
func (u Updater) Systems(ctx context.Context, infos []vm.Info, o Options) (Summary, error) {
	if err := o.systemOnly(); err != nil {
		return Summary{}, err
	}
	return each(ctx, infos, func(i vm.Info) Result {
		r, _ := u.System(ctx, i, o) // the result holds the error
		return r
	})
}

func each(ctx context.Context, infos []vm.Info, one func(vm.Info) Result) (Summary, error) {
	results := make([]Result, len(infos))
	batch.Each(ctx, len(infos), atOnce, func(n int) { results[n] = one(infos[n]) })
	var failed []batch.Failure
	for _, r := range results {
		if r.Err != nil {
			failed = append(failed, batch.Failure{Name: r.Name, Err: r.Err})
		}
	}
	return Summarize(results), batch.Err("update", len(results), failed, errkind.Step{})
}

// update runs a job on one VM. again is the next step that repeats the request.
func (u Updater) update(ctx context.Context, i vm.Info, job cloudinit.Update, o Options, what asked, timeout time.Duration, again errkind.Step) (r Result) {
	began := time.Now()
	r = Result{Ref: i.Ref}
	defer func() { r.Success, r.Duration = r.Err == nil, time.Since(began) }()
	late := fmt.Errorf("it has not ended within %s", timeout)
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, late)
	defer cancel()
	fail := func(err error, begun bool) {
		e := &errkind.Error{Kind: errkind.Of(err), Op: "update", Resource: i.Name, Class: ErrUpdate, Err: err}
		switch {
		case errors.Is(err, late):
			e.Kind, e.Err = errkind.Unreachable, late
		case ctx.Err() != nil:
			e.Kind, e.Err = errkind.Cancelled, context.Cause(ctx)
		}
		if begun {
			e.Err, e.Next = fmt.Errorf("%w; the update goes on on the VM", e.Err), again
		}
		r.Err = e
	}
	if err := u.Reach.Guard.Check("update", i.Name); err != nil { // before anything is sent
		r.Err = &errkind.Error{Class: ErrUpdate, Err: err}
		return r
	}
	host, err := u.Reach.Host(ctx, i, o.SSH)
	if err != nil {
		fail(err, false)
		return r
	}
	client, err := remote.Dial(ctx, host)
	if err != nil {
		fail(err, false)
		return r
	}
	defer func() { _ = client.Close() }() // everything that matters was read
	job.User = host.User
	kept, err := u.remember(i, what, o.SSH)
	if err != nil {
		fail(err, false)
		return r
	}
	defer func() { u.ended(i, &kept, &r) }()
	err = u.Reach.Guard.Change(ctx, i, audit.Update, "update "+strings.Join(job.Plan(), ", "), func(ctx context.Context) (err error) {
		r.Joined, err = start(ctx, client, job)
		return err
	})
	if err != nil {
		fail(err, errors.Is(err, remote.ErrLost))
		kept.begun = errors.Is(err, remote.ErrLost) || ctx.Err() != nil // it may have begun
		return r
	}
	if r.Joined {
		if r.Err = u.sameJob(ctx, client, i.Name, job); r.Err != nil {
			r.Joined = false
			return r
		}
	}
	kept.begun = true
	var last state
	told := ""
	last, client, err = follow(ctx, client, u.reconnect(i, o.SSH), func(s state, lost error) {
		if p := progressOf(i.Ref, s, lost); o.Report != nil && fmt.Sprint(p) != told {
			told = fmt.Sprint(p)
			o.Report(p)
		}
	})
	r.Tools, r.Restart = tools(last.record), last.record.Restart
	if err != nil {
		fail(err, true)
		return r
	}
	if what.System {
		if r.Output, err = run(ctx, client, nil, readOutput); err != nil {
			fail(err, true)
			return r
		}
	}
	r.Err = verdict(i.Name, last.record, again)
	if last.record.Ended.IsZero() {
		return r
	}
	kept.over = true
	if _, err := run(ctx, client, nil, seen); err != nil && r.Err == nil {
		fail(fmt.Errorf("all of it went well, but it will be told again: %w", err), false)
	}
	return r
}

// reconnect finds the route to a VM again, whose address may have changed.
func (u Updater) reconnect(i vm.Info, signIn reach.Options) func(context.Context) (*remote.Client, error) {
	return func(ctx context.Context) (*remote.Client, error) {
		now, err := u.Reach.VMs.Get(ctx, i.Ref)
		if err != nil {
			return nil, err
		}
		host, err := u.Reach.Host(ctx, now, signIn)
		if err != nil {
			return nil, err
		}
		return remote.Dial(ctx, host)
	}
}

// sameJob is Conflict when the running job is not the requested one.
func (u Updater) sameJob(ctx context.Context, client *remote.Client, name string, job cloudinit.Update) error {
	s, err := read(ctx, client)
	if err != nil || slices.Equal(s.record.Planned, job.Plan()) {
		return nil //nolint:nilerr // whoever follows it meets the same failure, and knows what to do
	}
	other := strings.Join(s.record.Planned, ",")
	return &errkind.Error{
		Kind: errkind.Conflict, Op: "update", Resource: name, Class: ErrUpdate, Err: fmt.Errorf("another update is under way there: %s", other),
		Next: errkind.Step{Action: errkind.UpdateTools, VM: name, Name: other},
	}
}

func progressOf(ref vm.Ref, s state, lost error) Progress {
	return Progress{Ref: ref, Done: len(s.record.Results), Total: len(s.record.Planned), Current: s.record.Current, Lost: lost}
}

// verdict is the error for a record; nil: everything succeeded.
func verdict(name string, r cloudinit.Record, again errkind.Step) error {
	if r.Ended.IsZero() {
		return &errkind.Error{
			Kind: errkind.Partial, Op: "update", Resource: name, Class: ErrUpdate,
			Err:  errors.New("the update was interrupted on the VM" + during(r.Current)),
			Next: again,
		}
	}
	var failed []string
	for _, res := range r.Results {
		if !res.OK {
			failed = append(failed, res.Tool)
		}
	}
	if failed == nil {
		return nil
	}
	return &errkind.Error{
		Kind: errkind.Partial, Op: "update", Resource: name, Class: ErrUpdate, Err: fmt.Errorf("%s failed", strings.Join(failed, ", ")),
		Next: errkind.Step{Action: errkind.ExecOnVM, VM: name, Command: "sudo cat " + cloudinit.UpdateOutput},
	}
}

func during(tool string) string {
	if tool == "" {
		return ""
	}
	return ", in the middle of " + tool
}
