package resize

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm"
)

// Result is the result of a resize.
type Result struct {
	vm.Ref

	From, To  string // sizes
	Size      string // its size at the end; empty: unknown
	Success   bool
	Unchanged bool // it already had that size; nothing was sent
	WentBack  bool // it has its old size and power state again
	Before    vm.PowerState
	After     vm.PowerState // empty: unknown
	Duration  time.Duration
	Err       error
}

// Run carries out a plan: it tags the VM with its size and state, deallocates it, changes its size (virtualMachines/update),
// restores its power state, and removes the tag. If Azure refuses the size or has no capacity, the VM gets its old size and
// state back; the error reports that. If Azure cannot be reached, or ctx ends, nothing is undone, and the same call resumes.
// report may be nil.
func (s *Resizer) Run(ctx context.Context, p Plan, report func(step string)) (Result, error) {
	began := time.Now()
	r := Result{Ref: p.Ref, From: p.From.Name, To: p.To.Name, Before: p.Before}
	if report == nil {
		report = func(string) {}
	}
	finish := func(err error) (Result, error) {
		r.Duration, r.Success, r.Err = time.Since(began), err == nil, err
		return r, err
	}
	if p.Unchanged() {
		r.Unchanged, r.Size, r.After = true, p.current, p.Now
		return finish(nil)
	}
	if p.Before != vm.Running && p.Before != vm.Stopped && p.Before != vm.Deallocated {
		return finish(&errkind.Error{
			Kind: errkind.Conflict, Op: "resize", Resource: p.Name, Err: fmt.Errorf("its power state is %s: it is changing, or not known", p.Now),
			Next: errkind.Step{Action: errkind.ShowVM, VM: p.Name},
		})
	}
	if !p.Resumes || !strings.EqualFold(p.asked, p.To.Name) {
		report("keeping what it was, and is to be, in a tag")
		if err := s.Azure.MergeTags(ctx, p.id, map[string]string{azure.TagResize: p.record(s.Azure.Clock().Now()).String()}); err != nil {
			return finish(azure.Wrap("resize", p.Name, err))
		}
	}
	var err error
	if !p.Resumes || p.Now != p.Before || !strings.EqualFold(p.current, p.To.Name) { // otherwise only the tag is left
		err = s.change(ctx, p, p.To.Name, report)
	}
	r.Size = p.To.Name
	if err != nil && refusal(ctx, err) {
		err = s.Catalog.Refused(ctx, p.wanted, err)
		report("going back to " + p.From.Name)
		if back := s.change(ctx, p, p.From.Name, report); back != nil {
			r.Size = ""
			return finish(p.stranded(fmt.Errorf("%w; and going back to %s: %w", err, p.From.Name, back)))
		}
		r.Size, r.WentBack = p.From.Name, true
		err = &errkind.Error{
			Kind: errkind.Of(err), Op: "resize", Resource: p.Name, Err: fmt.Errorf("%w; it is %s and %s again", err, p.From.Name, p.Before),
			Next: errkind.Step{Action: errkind.ListSizes},
		}
	} else if err != nil {
		r.Size = ""
		return finish(p.stranded(err))
	}
	if i, gerr := s.VMs.Get(ctx, p.Ref); gerr == nil {
		r.After = i.PowerState
	}
	report("taking the tag away")
	if terr := s.Azure.DeleteTags(ctx, p.id, azure.TagResize); terr != nil {
		err = errors.Join(err, p.stranded(terr))
	}
	return finish(err)
}

// change deallocates the VM, changes its size, and restores its power state.
func (s *Resizer) change(ctx context.Context, p Plan, size string, report func(string)) error {
	report("deallocating")
	err := there(ctx, func() error {
		_, err := s.VMs.Stop(ctx, p.Ref, vm.PowerOptions{})
		return err
	})
	if err != nil {
		return err
	}
	report("changing to " + size)
	err = there(ctx, func() error {
		_, err := azure.Run(ctx, s.Azure, "resize", p.Name, func(ctx context.Context) (*runtime.Poller[armcompute.VirtualMachinesClientUpdateResponse], error) {
			return s.Azure.VMs().BeginUpdate(ctx, p.ResourceGroup, p.Name, armcompute.VirtualMachineUpdate{Properties: &armcompute.VirtualMachineProperties{
				HardwareProfile: &armcompute.HardwareProfile{VMSize: new(armcompute.VirtualMachineSizeTypes(size))},
			}}, nil)
		})
		return err
	})
	if err != nil {
		return err
	}
	if p.Before == vm.Deallocated {
		return nil
	}
	report("starting")
	err = there(ctx, func() error {
		_, err := s.VMs.Start(ctx, p.Ref, vm.PowerOptions{})
		return err
	})
	if err == nil && p.Before == vm.Stopped {
		report("stopping it, as it was")
		_, err = s.VMs.Stop(ctx, p.Ref, vm.PowerOptions{KeepAllocation: true})
	}
	return err
}

// lag is how long Azure's caches may report a VM as absent after a change.
const lag = 15 * time.Second

// there retries while Azure does not find a resource that just existed.
func there(ctx context.Context, try func() error) error {
	for began := time.Now(); ; {
		err := try()
		if !azure.IsNotFound(err) || time.Since(began) > lag {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Second):
		}
	}
}

// refusal reports whether Azure refused, so that returning to the old size can work: without a connection, or without time,
// that would fail too.
func refusal(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	switch errkind.Of(err) {
	case errkind.Capacity, errkind.Quota, errkind.Conflict, errkind.Invalid, errkind.Provisioning, errkind.Permission:
		return true
	}
	return false
}

// stranded is the error of an interrupted resize.
func (p Plan) stranded(err error) error {
	return &errkind.Error{
		Kind: errkind.Of(err), Op: "resize", Resource: p.Name, Err: fmt.Errorf("%w; it may be deallocated now; it was %s and %s", err, p.From.Name, p.Before),
		Next: errkind.Step{Action: errkind.ResizeVM, VM: p.Name, Group: p.ResourceGroup, Name: p.To.Name},
	}
}
