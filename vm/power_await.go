package vm

import (
	"context"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// Await waits for a power operation that was started with NoWait, also by another process. r is its result with ResumeToken,
// Ref and Operation. It returns r completed.
func (s *Service) Await(ctx context.Context, r LifecycleResult, report func(azure.OperationState)) (LifecycleResult, error) {
	began := time.Now()
	err := s.await(ctx, r, report)
	if err == nil {
		r.After, err = s.readPower(ctx, r.Ref)
	}
	r.Err = errkind.Classed(ErrLifecycleControl, err)
	r.Success, r.Duration, r.ResumeToken = err == nil, r.Duration+time.Since(began), ""
	return r, r.Err
}

func (s *Service) await(ctx context.Context, r LifecycleResult, report func(azure.OperationState)) error {
	vms, token := s.azure.VMs(), r.ResumeToken
	switch r.Operation {
	case "start":
		return resume(ctx, s, r, report, func(ctx context.Context) (*runtime.Poller[armcompute.VirtualMachinesClientStartResponse], error) {
			return vms.BeginStart(ctx, "", "", &armcompute.VirtualMachinesClientBeginStartOptions{ResumeToken: token})
		})
	case "stop":
		return resume(ctx, s, r, report, func(ctx context.Context) (*runtime.Poller[armcompute.VirtualMachinesClientPowerOffResponse], error) {
			return vms.BeginPowerOff(ctx, "", "", &armcompute.VirtualMachinesClientBeginPowerOffOptions{ResumeToken: token})
		})
	case "deallocate":
		return resume(ctx, s, r, report, func(ctx context.Context) (*runtime.Poller[armcompute.VirtualMachinesClientDeallocateResponse], error) {
			return vms.BeginDeallocate(ctx, "", "", &armcompute.VirtualMachinesClientBeginDeallocateOptions{ResumeToken: token})
		})
	case "restart":
		return resume(ctx, s, r, report, func(ctx context.Context) (*runtime.Poller[armcompute.VirtualMachinesClientRestartResponse], error) {
			return vms.BeginRestart(ctx, "", "", &armcompute.VirtualMachinesClientBeginRestartOptions{ResumeToken: token})
		})
	}
	return errkind.New(errkind.Invalid, "await: %q is not a power operation", r.Operation)
}

func resume[T any](ctx context.Context, s *Service, r LifecycleResult, report func(azure.OperationState), begin func(context.Context) (*runtime.Poller[T], error)) error {
	op, err := azure.Resume(ctx, s.azure, r.Operation+" vm", r.Name, begin)
	if err == nil {
		_, err = op.Wait(ctx, report)
	}
	return err
}
