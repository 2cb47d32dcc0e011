package vm

import (
	"context"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// LifecycleResult is the result of a power operation on one VM.
type LifecycleResult struct {
	Ref

	Operation   string        `json:"operation"` // "start", "stop", "deallocate" or "restart"
	Success     bool          `json:"success"`
	Unchanged   bool          `json:"unchanged,omitempty"` // it already was in that state; nothing was sent
	Before      PowerState    `json:"before,omitempty"`
	After       PowerState    `json:"after,omitempty"`        // empty when the end was not awaited
	OperationID string        `json:"operation_id,omitempty"` // Azure's id of an operation that still runs, because its end was not awaited
	Duration    time.Duration `json:"duration"`
	Err         error         `json:"-"`

	ResumeToken string `json:"-"` // for Await, when the end was not awaited; secret: it contains a signed address
}

// LifecycleSummary is the result of a power operation on several VMs.
type LifecycleSummary struct {
	Total     int               `json:"total"`
	Succeeded int               `json:"succeeded"`
	Failed    int               `json:"failed"`
	Results   []LifecycleResult `json:"results"`
}

// Summarize counts results.
func Summarize(results []LifecycleResult) LifecycleSummary {
	sum := LifecycleSummary{Total: len(results), Results: results}
	for _, r := range results {
		if r.Success {
			sum.Succeeded++
		} else {
			sum.Failed++
		}
	}
	return sum
}

// PowerOptions are the options of Start, Stop and Restart. The zero value waits for the end, and deallocates on Stop.
type PowerOptions struct {
	NoWait         bool // return when Azure has accepted the operation
	KeepAllocation bool // Stop: keep the compute allocated, which is still billed
	Report         func(azure.OperationState)
}

// Start starts a VM (virtualMachines/start). For a running VM it succeeds with Unchanged set. On an error, the result holds
// what is known, and the error.
func (s *Service) Start(ctx context.Context, ref Ref, o PowerOptions) (LifecycleResult, error) {
	r := LifecycleResult{Ref: ref, Operation: "start"}
	return power(ctx, s, o, r, Running, func(ctx context.Context, ref Ref) (*runtime.Poller[armcompute.VirtualMachinesClientStartResponse], error) {
		return s.azure.VMs().BeginStart(ctx, ref.ResourceGroup, ref.Name, nil)
	})
}

// Stop deallocates a VM (virtualMachines/deallocate), or powers it off and keeps it allocated (virtualMachines/powerOff).
// For a stopped VM it succeeds with Unchanged set. A VM that is stopped but allocated is deallocated, because it is still
// billed.
func (s *Service) Stop(ctx context.Context, ref Ref, o PowerOptions) (LifecycleResult, error) {
	if o.KeepAllocation {
		r := LifecycleResult{Ref: ref, Operation: "stop"}
		return power(ctx, s, o, r, Stopped, func(ctx context.Context, ref Ref) (*runtime.Poller[armcompute.VirtualMachinesClientPowerOffResponse], error) {
			return s.azure.VMs().BeginPowerOff(ctx, ref.ResourceGroup, ref.Name, nil)
		})
	}
	r := LifecycleResult{Ref: ref, Operation: "deallocate"}
	return power(ctx, s, o, r, Deallocated, func(ctx context.Context, ref Ref) (*runtime.Poller[armcompute.VirtualMachinesClientDeallocateResponse], error) {
		return s.azure.VMs().BeginDeallocate(ctx, ref.ResourceGroup, ref.Name, nil)
	})
}

// Restart restarts a running VM (virtualMachines/restart). For a VM that is not running it returns a Conflict; start it
// instead.
func (s *Service) Restart(ctx context.Context, ref Ref, o PowerOptions) (LifecycleResult, error) {
	r := LifecycleResult{Ref: ref, Operation: "restart"}
	return power(ctx, s, o, r, "", func(ctx context.Context, ref Ref) (*runtime.Poller[armcompute.VirtualMachinesClientRestartResponse], error) {
		return s.azure.VMs().BeginRestart(ctx, ref.ResourceGroup, ref.Name, nil)
	})
}

// power runs one operation. In the state goal there is nothing to do; empty for restart.
func power[T any](ctx context.Context, s *Service, o PowerOptions, r LifecycleResult, goal PowerState,
	begin func(context.Context, Ref) (*runtime.Poller[T], error),
) (LifecycleResult, error) {
	began := time.Now()
	finish := func(err error) (LifecycleResult, error) {
		r.Err = errkind.Classed(ErrLifecycleControl, err)
		r.Success, r.Duration = err == nil, time.Since(began)
		return r, r.Err
	}
	var err error
	if r.Ref, err = s.full(r.Ref); err != nil {
		return finish(err)
	}
	before, err := s.readPower(ctx, r.Ref)
	if err != nil {
		return finish(err)
	}
	r.Before = before
	switch {
	case goal != "" && before == goal, goal == Stopped && before == Deallocated:
		r.Unchanged, r.After = true, before
		return finish(nil)
	case r.Operation == "restart" && (before == Stopped || before == Deallocated):
		r.After = before
		return finish(&errkind.Error{
			Kind: errkind.Conflict, Op: "restart vm", Resource: r.Name, Err: errkind.New(errkind.Conflict, "it is %s: start it instead", before),
		})
	}
	op, err := azure.Begin(ctx, s.azure, r.Operation+" vm", r.Name, func(ctx context.Context) (*runtime.Poller[T], error) { return begin(ctx, r.Ref) })
	if err != nil {
		return finish(err)
	}
	r.OperationID = op.ID()
	if o.NoWait {
		r.ResumeToken = op.ResumeToken()
		return finish(nil)
	}
	if _, err := op.Wait(ctx, o.Report); err != nil {
		return finish(err)
	}
	r.After, err = s.readPower(ctx, r.Ref)
	if azure.IsNotFound(err) { // Azure has reported success; its caches lag behind
		r.After, err = UnknownState, nil
	}
	if err != nil {
		return finish(err)
	}
	if goal != "" && r.After != goal && r.After != UnknownState {
		return finish(&errkind.Error{
			Kind: errkind.Provisioning, Op: r.Operation + " vm", Resource: r.Name,
			Err: errkind.New(errkind.Provisioning, "Azure reports success, but the VM is %s", r.After),
		})
	}
	return finish(nil)
}

// readPower reads one VM's power state.
func (s *Service) readPower(ctx context.Context, ref Ref) (PowerState, error) {
	i, err := s.Peek(ctx, ref)
	return i.PowerState, err
}
