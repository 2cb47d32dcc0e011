package launch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/provision"
)

// operationFor finds an earlier launch of the VM, in Azure and on this machine. Its first request also signs in.
func (l *Launcher) operationFor(ctx context.Context, config *provision.Config, earlier *change.Operation) (op *change.Operation, resumes bool, err error) {
	op = earlier
	fresh := func() (err error) {
		op, err = newOperation(l.Target.SubscriptionID, config.ResourceGroup, config.Name, time.Now())
		return err
	}
	if op == nil {
		if err := fresh(); err != nil {
			return nil, false, err
		}
	}
	config.OperationID, config.HostKey = op.ID, op.HostKey.Public
	exists, err := l.Provisioner.Resumes(ctx, *config)
	if err != nil {
		return nil, false, err
	}
	if !exists && !op.Provisional() {
		// The VM had shown its host key and was then deleted: a new one needs a new key.
		err = errors.Join(l.Operations.Remove(op), fresh())
		config.OperationID, config.HostKey = op.ID, op.HostKey.Public
	}
	return op, earlier != nil || exists, err
}

// newOperation creates an operation with its own host key. It is not yet saved.
func newOperation(subscription, group, name string, now time.Time) (*change.Operation, error) {
	key, err := keypair.NewHostKey()
	if err != nil {
		return nil, err
	}
	op := change.Make(change.New, subscription, group, name, now)
	op.HostKey = &change.HostKey{Private: key.Private, Public: key.Public}
	return op, nil
}

// earlier returns the unfinished launch of a VM that began on this machine, or nil.
func (l *Launcher) earlier(group, name string) (*change.Operation, error) {
	op, err := l.Operations.Find(l.launchOf(group, name))
	if op != nil && op.HostKey == nil {
		return nil, &errkind.Error{
			Kind: errkind.Invalid, Op: "resume operation", Resource: op.ID, Err: errors.New("it has lost its host key"),
			Next: errkind.Step{Action: errkind.ForgetOperation, Name: op.ID},
		}
	}
	return op, err
}

// goingOn completes a request with an earlier launch of the same VM, so that its name alone is enough to resume it.
func goingOn(r Request, op *change.Operation) (Request, error) {
	if op == nil || len(op.Request) == 0 {
		return r, nil
	}
	var before Request
	if err := json.Unmarshal(op.Request, &before); err != nil {
		return r, fmt.Errorf("operation %s: what was asked for cannot be read: %w", op.ID, err)
	}
	// How the VM is reached is one decision: a request that sets part of it replaces all of it.
	if r.Private || r.Public || r.SSHSource != "" {
		before.Private, before.Public, before.SSHSource, before.NATGateway = false, false, "", false
	}
	fill(reflect.ValueOf(&r).Elem(), reflect.ValueOf(before))
	return r, nil
}

// fill sets the zero fields of a struct, and of its embedded structs, to those of another.
func fill(to, from reflect.Value) {
	for n := range to.NumField() {
		field := to.Field(n)
		switch {
		case to.Type().Field(n).Anonymous:
			fill(field, from.Field(n))
		case field.IsZero():
			field.Set(from.Field(n))
		}
	}
}

// remember saves how far a launch has come.
func (l *Launcher) remember(plan *Plan, stage string, failure error) error {
	plan.op.Stage, plan.op.LastError = stage, ""
	if failure != nil && errkind.Of(failure) != errkind.Cancelled { // an interrupted launch did not fail
		plan.op.LastError, _, _ = strings.Cut(failure.Error(), "\n")
	}
	return l.Operations.Save(plan.op, time.Now())
}

// keepFailure saves why a launch failed. If the launch created nothing, it is forgotten, so that its request is not resumed.
func (l *Launcher) keepFailure(plan *Plan, failure error) error {
	if f, ok := errors.AsType[*provision.ProvisioningFailure](failure); ok && !plan.Resumes && len(f.LeftOver) == 0 {
		return l.Operations.Remove(plan.op)
	}
	return l.remember(plan, plan.op.Stage, failure)
}

// GroupOf returns the resource group of an unfinished launch of this name from this machine; empty: there is none.
func (l *Launcher) GroupOf(name string) (string, error) {
	op, err := l.Operations.Find(func(o *change.Operation) bool {
		return o.Kind == change.New && strings.EqualFold(o.Subscription, l.Target.SubscriptionID) && strings.EqualFold(o.Name, name)
	})
	if op == nil || err != nil {
		return "", err
	}
	return op.Group, nil
}

// Forget removes this machine's records of a deleted VM: its unfinished operations and its host key. vmID may be empty.
func (l *Launcher) Forget(ctx context.Context, ref vm.Ref, vmID string) error {
	ref, err := ref.In(l.Target)
	if err != nil {
		return err
	}
	err = l.Operations.RemoveAll(func(o *change.Operation) bool { return o.On(l.Target.SubscriptionID, ref.ResourceGroup, ref.Name) })
	if err != nil {
		return err
	}
	if vmID == "" {
		return nil
	}
	return l.Reach.KnownHosts.Forget(ctx, vmID)
}

// launchOf matches the launch of one VM.
func (l *Launcher) launchOf(group, name string) func(*change.Operation) bool {
	return func(o *change.Operation) bool {
		return o.Kind == change.New && o.On(l.Target.SubscriptionID, group, name)
	}
}
