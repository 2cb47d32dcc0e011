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

// asked is what an operation's file keeps of an update.
type asked struct {
	Tools  []string `json:"tools,omitempty"` // none: all that are there, and the packages
	System bool     `json:"system"`          // the packages, with what is printed about them

	// How the VM was signed in to.
	User    string `json:"user,omitempty"`
	KeyPath string `json:"key_path,omitempty"`
	Bastion string `json:"bastion,omitempty"`
}

// Handler knows updates that go on on their VMs, or were cut off there, as far as they were begun from this machine: no tag
// tells of them, and no VM is asked.
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

// memory is what this machine keeps of an update while it is followed.
type memory struct {
	op    *change.Operation
	fresh bool // nothing was kept of the same one before
	begun bool // the VM is at it, or may be
	over  bool // how it ended was read
}

// remember writes down, before it is sent, that a VM is asked for an update.
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

// same is whether a file is of the same update, whichever way its VM was signed in to.
func same(request json.RawMessage, what asked) bool {
	var was asked
	return json.Unmarshal(request, &was) == nil && was.System == what.System && slices.Equal(was.Tools, what.Tools)
}

// ended writes down why an update that goes on is not waited for any more, and forgets one that does not. A VM does one at a
// time: what was remembered before of another one there is over.
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
		if r.Err != nil && errkind.Of(r.Err) != errkind.Cancelled { // whoever interrupts it has seen nothing fail
			m.op.LastError, _, _ = strings.Cut(r.Err.Error(), "\n")
		}
		err = errors.Join(err, u.Operations.Save(m.op, time.Now()))
	}
	if r.Err == nil {
		r.Err = err
	}
}
