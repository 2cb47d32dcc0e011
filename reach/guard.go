package reach

import (
	"context"
	"errors"
	"fmt"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/audit"
	"github.com/azlin-dev/azlin/vm"
)

// Guard checks and records every change that azlin itself makes inside a VM: tools, packages, keys, mounts, files of a home.
// Azure does not see these changes, so package azure can neither refuse nor record them. Commands that users run on their
// VMs (exec, connect) do not pass it. The zero value allows everything and records nothing.
type Guard struct {
	ReadOnly     bool                     // refuse every change before anything is sent
	Record       func(audit.Record) error // called before and after each change; nil: nobody
	Subscription string
}

// ErrReadOnly is the cause when a change is refused because the context is read-only.
var ErrReadOnly = errors.New("this context is read-only, nothing was sent")

// Check refuses, with kind Permission, what a read-only context does not allow. Call it before the first request of
// something that ends in a change; op and resource go into the error.
func (g Guard) Check(op, resource string) error {
	if !g.ReadOnly {
		return nil
	}
	return &errkind.Error{Kind: errkind.Permission, Op: op, Resource: resource, Err: ErrReadOnly}
}

// Change carries out one change inside a VM. It is refused in a read-only context, recorded as started before do is called,
// and as succeeded or failed afterwards. A change that cannot be recorded is not made. what describes it for the record:
// "add key", "update tools".
func (g Guard) Change(ctx context.Context, i vm.Info, event audit.EventType, what string, do func(context.Context) error) error {
	if err := g.Check(what+" on", i.Name); err != nil {
		return err
	}
	if err := g.record(i, event, what, audit.Started); err != nil {
		return &errkind.Error{
			Kind: errkind.Prerequisite, Op: what + " on", Resource: i.Name, Err: fmt.Errorf("nothing was changed, because it cannot be put on record: %w", err),
		}
	}
	err := do(ctx)
	status := audit.Succeeded
	if err != nil {
		status = audit.Failed
	}
	return errors.Join(err, g.record(i, event, what, status))
}

func (g Guard) record(i vm.Info, event audit.EventType, what string, status audit.Status) error {
	if g.Record == nil {
		return nil
	}
	return g.Record(audit.Record{Event: event, Status: status, Resource: i.ID, Operation: what, Subscription: g.Subscription})
}
