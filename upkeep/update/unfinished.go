package update

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/vm"
)

// asked is what an operation's file stores about an update.
type asked struct {
	Tools  []string `json:"tools,omitempty"` // empty: all that are installed, and the packages
	System bool     `json:"system"`          // the packages, with their output

	// How azlin signed in to the VM.
	User    string `json:"user,omitempty"`
	KeyPath string `json:"key_path,omitempty"`
	Bastion string `json:"bastion,omitempty"`
}

// Handler finds and resumes updates that still run on their VMs, or were interrupted, if this machine started them: no tag
// records them, and no VM is contacted.
func (u Updater) Handler() change.Handler {
	return change.Handler{
		Kinds: []change.Kind{change.Update},
		Stays: "it goes on on the VM, and what it has updated stays so: wait for it, or forget it",
		Resume: func(ctx context.Context, o change.Unfinished) (change.Plan, error) {
			var what asked
			if err := json.Unmarshal(o.Request(), &what); err != nil {
				return change.Plan{}, errkind.New(errkind.Invalid, "what was asked for cannot be read: %w", err)
			}
			i, err := u.Reach.VMs.Get(ctx, vm.Ref{Name: o.VM, ResourceGroup: o.ResourceGroup})
			if err != nil {
				return change.Plan{}, err
			}
			return change.Plan{
				Steps: []string{"wait until " + what.text() + " of " + i.Name + " are updated, or begin again if the VM was restarted meanwhile"},
				Run: func(ctx context.Context, report func(string)) (any, error) {
					again := Options{
						Tools: what.Tools, SSH: reach.Options{User: what.User, KeyPath: what.KeyPath, Bastion: what.Bastion},
						Report: func(p Progress) { report(fmt.Sprintf("%s, %d of %d done", p.Current, p.Done, p.Total)) },
					}
					if what.System {
						return u.System(ctx, i, again)
					}
					return u.VM(ctx, i, again)
				},
			}, nil
		},
	}
}

func (a asked) text() string {
	if a.System {
		return "the packages"
	}
	return cmp.Or(strings.Join(a.Tools, ", "), "the tools")
}

// memory is this machine's record of an update while it is followed.
type memory struct {
	op    *change.Operation
	fresh bool // there was no record of the same update before
	begun bool // the VM runs it, or may do so
	over  bool // its result was read
}

// remember records an update before it is sent to the VM.
func (u Updater) remember(i vm.Info, what asked, ssh reach.Options) (memory, error) {
	what.User, what.KeyPath, what.Bastion = ssh.User, ssh.KeyPath, ssh.Bastion
	request, err := json.Marshal(what)
	if err != nil {
		return memory{}, err
	}
	op, err := u.Operations.Find(func(o *change.Operation) bool { return u.on(o, i) && same(o.Request, what) })
	m := memory{op: op, fresh: op == nil}
	if err != nil {
		return m, err
	}
	if m.fresh {
		m.op = change.Make(change.Update, u.Reach.Guard.Subscription, i.ResourceGroup, i.Name, time.Now())
	}
	m.op.Request, m.op.Stage = request, what.text()
	return m, u.Operations.Save(m.op, time.Now())
}

func (u Updater) on(o *change.Operation, i vm.Info) bool {
	return o.Kind == change.Update && o.On(u.Reach.Guard.Subscription, i.ResourceGroup, i.Name)
}

// same reports whether a file records the same update, regardless of how azlin signed in.
func same(request json.RawMessage, what asked) bool {
	var was asked
	return json.Unmarshal(request, &was) == nil && was.System == what.System && slices.Equal(was.Tools, what.Tools)
}

// ended records why a running update is no longer followed, and removes the record of one that ended. A VM runs one update
// at a time, so an older record of another update is obsolete.
func (u Updater) ended(i vm.Info, m *memory, r *Result) {
	var err error
	if m.begun {
		err = u.Operations.RemoveAll(func(o *change.Operation) bool { return u.on(o, i) && o.ID != m.op.ID })
	}
	switch {
	case m.over, !m.begun && m.fresh:
		err = errors.Join(err, u.Operations.Remove(m.op))
	case m.begun:
		m.op.LastError = ""
		if r.Err != nil && errkind.Of(r.Err) != errkind.Cancelled { // an interrupted wait is not a failure
			m.op.LastError, _, _ = strings.Cut(r.Err.Error(), "\n")
		}
		err = errors.Join(err, u.Operations.Save(m.op, time.Now()))
	}
	if r.Err == nil {
		r.Err = err
	}
}
