package vm_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/test/local/lab"
	"github.com/azlin-dev/azlin/vm"
)

func TestPower(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		fill(t, l, 1)
		s, _ := l.Open()
		const name = "vm-000"
		ctx := t.Context()
		type call func() (vm.LifecycleResult, error)
		start := func() (vm.LifecycleResult, error) {
			return s.Start(ctx, vm.Ref{ResourceGroup: group, Name: name}, vm.PowerOptions{})
		}
		stop := func() (vm.LifecycleResult, error) {
			return s.Stop(ctx, vm.Ref{ResourceGroup: group, Name: name}, vm.PowerOptions{})
		}
		halt := func() (vm.LifecycleResult, error) {
			return s.Stop(ctx, vm.Ref{ResourceGroup: group, Name: name}, vm.PowerOptions{KeepAllocation: true})
		}
		restart := func() (vm.LifecycleResult, error) {
			return s.Restart(ctx, vm.Ref{ResourceGroup: group, Name: name}, vm.PowerOptions{})
		}
		for i, step := range []struct {
			do        call
			op        string
			before    vm.PowerState
			after     vm.PowerState
			unchanged bool
			kind      errkind.Kind
		}{
			{start, "start", vm.Running, vm.Running, true, ""},
			{restart, "restart", vm.Running, vm.Running, false, ""},
			{halt, "stop", vm.Running, vm.Stopped, false, ""},
			{halt, "stop", vm.Stopped, vm.Stopped, true, ""},
			{restart, "restart", vm.Stopped, vm.Stopped, false, errkind.Conflict},
			{stop, "deallocate", vm.Stopped, vm.Deallocated, false, ""}, // still paid for until now
			{stop, "deallocate", vm.Deallocated, vm.Deallocated, true, ""},
			{halt, "stop", vm.Deallocated, vm.Deallocated, true, ""},
			{start, "start", vm.Deallocated, vm.Running, false, ""},
			{stop, "deallocate", vm.Running, vm.Deallocated, false, ""},
		} {
			writes := l.Emulator.Counts().Requests["POST"]
			r, err := step.do()
			if r.Operation != step.op || r.Before != step.before || r.After != step.after || r.Unchanged != step.unchanged ||
				r.Success != (step.kind == "") || errkind.Of(err) != step.kind || r.Name != name {
				t.Errorf("step %d: %+v, %v", i, r, err)
			}
			sent := l.Emulator.Counts().Requests["POST"] - writes
			if want := !step.unchanged && step.kind == ""; (sent == 1) != want || (r.OperationID != "") != want {
				t.Errorf("step %d: %d requests to change it, operation %q", i, sent, r.OperationID)
			}
			if step.kind != "" && !errors.Is(err, vm.ErrLifecycleControl) {
				t.Errorf("step %d: class of %v", i, err)
			}
		}
		if r, err := s.Start(ctx, vm.Ref{ResourceGroup: group, Name: "absent"}, vm.PowerOptions{}); errkind.Of(err) != errkind.NotFound || r.Success || r.Err == nil {
			t.Errorf("absent: %+v, %v", r, err)
		}
	})
}

func TestPowerWithoutWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{Realistic: true})
		fill(t, l, 1)
		s, _ := l.Open()
		r, err := s.Stop(t.Context(), vm.Ref{ResourceGroup: group, Name: "vm-000"}, vm.PowerOptions{NoWait: true})
		if err != nil || !r.Success || r.After != "" || r.OperationID == "" || r.ResumeToken == "" {
			t.Fatalf("%+v, %v", r, err)
		}
		if i, err := s.Get(t.Context(), vm.Ref{ResourceGroup: group, Name: "vm-000"}); err != nil || i.PowerState != vm.Deallocating || i.IsRunning() || i.IsStopped() {
			t.Errorf("on its way: %+v, %v", i, err)
		}
		// Another process waits for it.
		other, _ := l.Open()
		looks := 0
		r, err = other.Await(t.Context(), r, func(azure.OperationState) { looks++ })
		if err != nil || !r.Success || r.After != vm.Deallocated || looks == 0 || r.ResumeToken != "" {
			t.Errorf("awaited: %+v, %v (%d looks)", r, err, looks)
		}
		r.Operation = "dance"
		if _, err := other.Await(t.Context(), r, nil); errkind.Of(err) != errkind.Invalid {
			t.Errorf("an unknown operation: %v", err)
		}
	})
}

func TestSummarize(t *testing.T) {
	t.Parallel()
	sum := vm.Summarize([]vm.LifecycleResult{{Success: true}, {}, {Success: true}})
	if sum.Total != 3 || sum.Succeeded != 2 || sum.Failed != 1 || len(sum.Results) != 3 {
		t.Errorf("%+v", sum)
	}
}

func TestInfoStates(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		info             vm.Info
		running, stopped bool
		shown            string
	}{
		{vm.Info{PowerState: vm.Running}, true, false, "Running"},
		{vm.Info{PowerState: vm.Stopped}, false, true, "Stopped (still billed)"},
		{vm.Info{PowerState: vm.Deallocated}, false, true, "Stopped (deallocated)"},
		{vm.Info{PowerState: vm.Starting}, false, false, "Starting"},
		{vm.Info{PowerState: vm.Deallocating}, false, false, "Deallocating"},
		{vm.Info{PowerState: vm.UnknownState, ProvisioningState: "Creating"}, false, false, "Creating"},
		{vm.Info{PowerState: vm.UnknownState, ProvisioningState: "Succeeded"}, false, false, "Unknown"},
		{vm.Info{}, false, false, "Unknown"},
	} {
		if tc.info.IsRunning() != tc.running || tc.info.IsStopped() != tc.stopped || tc.info.StatusDisplay() != tc.shown {
			t.Errorf("%+v: %v %v %q", tc.info, tc.info.IsRunning(), tc.info.IsStopped(), tc.info.StatusDisplay())
		}
	}
	if (vm.Info{Ref: vm.Ref{Name: "v"}}).DisplayName() != "v" || (vm.Info{Ref: vm.Ref{Name: "v"}, SessionName: "s"}).DisplayName() != "s" {
		t.Error("display name")
	}
}
