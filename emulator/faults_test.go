package emulator_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/fault"
)

// TestOperationsGoWrong: a create that fails leaves what Azure leaves, one that is stuck ends when its rule goes, one that
// lies is not found for a while; deleting and power, too.
func TestOperationsGoWrong(t *testing.T) {
	bubble(t, emulator.Options{}, func(r *raw) {
		add := func(f fault.Rule) fault.Rule {
			r.Helper()
			added, err := r.e.AddFault(f)
			if err != nil {
				r.Fatal(err)
			}
			return added
		}
		vm := func() answer {
			return r.do("GET", comp+"virtualMachines/vm"+computeV, "")
		}
		r.ok(r.do("DELETE", netRP+"networkInterfaces/none"+networkV, ""), 204)
		add(fault.Rule{Effect: fault.Fail, Operation: "vm.create", Name: "vm", Count: 1, Code: "OverconstrainedZonalAllocationRequest"})
		a := r.ok(r.do("PUT", comp+"virtualMachines/vm"+computeV, vmBody()), 201)
		time.Sleep(5 * time.Minute)
		op := r.do("GET", a.header.Get("Azure-AsyncOperation"), "")
		if op.at("status") != "Failed" || op.code() != "OverconstrainedZonalAllocationRequest" {
			r.Errorf("the operation: %s", op.text)
		}
		if got := vm(); got.at("properties", "provisioningState") != "Failed" {
			r.Errorf("the VM: %s", got.text)
		}

		held := add(fault.Rule{Effect: fault.Stuck, Operation: "vm.delete"})
		r.ok(r.do("DELETE", comp+"virtualMachines/vm"+computeV, ""), 202)
		time.Sleep(20 * time.Minute)
		if got := vm(); got.status != 200 {
			r.Errorf("a stuck deletion ended: %d", got.status)
		}
		if n := r.e.ClearFaults(held.ID); n != 1 {
			r.Errorf("cleared %d", n)
		}
		if got := vm(); got.status != 404 {
			r.Errorf("the deletion goes on: %d", got.status)
		}

		time.Sleep(5 * time.Minute) // the interface was reserved for it
		add(fault.Rule{Effect: fault.Lie, Operation: "vm.create", Delay: time.Minute, Count: 1})
		r.ok(r.do("PUT", comp+"virtualMachines/vm"+computeV, vmBody()), 201)
		time.Sleep(50 * time.Second)
		if got := vm(); got.status != 404 {
			r.Errorf("it was to be hidden: %d", got.status)
		}
		time.Sleep(time.Minute)
		if got := vm(); got.status != 200 || got.at("properties", "provisioningState") != "Succeeded" {
			r.Errorf("it was to be there: %s", got.text)
		}

		add(fault.Rule{Effect: fault.Fail, Operation: "vm.power", Code: "InternalExecutionError", Count: 1})
		a = r.ok(r.do("POST", comp+"virtualMachines/vm/deallocate"+computeV, ""), 202)
		time.Sleep(5 * time.Minute)
		if op := r.do("GET", a.header.Get("Azure-AsyncOperation"), ""); op.at("status") != "Failed" {
			r.Errorf("the operation: %s", op.text)
		}
		if view := r.do("GET", comp+"virtualMachines/vm/instanceView"+computeV, ""); !strings.Contains(view.text, "PowerState/running") {
			r.Errorf("after a deallocation that failed: %s", view.text)
		}
		struck := 0
		for _, f := range r.e.Faults() {
			struck += f.Struck
		}
		if struck != 3 {
			r.Errorf("%d faults struck: %+v", struck, r.e.Faults())
		}
	})
}

// TestRequestsGoWrong looks at the in-process client; package fault has all effects over a real connection.
func TestRequestsGoWrong(t *testing.T) {
	bubble(t, emulator.Options{}, func(r *raw) {
		for _, f := range []fault.Rule{
			{Effect: fault.ResetAfter, Method: "PUT", Name: "made", Count: 1},
			{Effect: fault.Truncate, Method: "GET", Name: "made", Count: 1},
			{Effect: fault.Error503, Method: "GET", Name: "made", Count: 1},
		} {
			if _, err := r.e.AddFault(f); err != nil {
				r.Fatal(err)
			}
		}
		fails := func(method, path, body string) error {
			req, err := http.NewRequestWithContext(r.Context(), method, "https://management.azure.com"+r.path(path), strings.NewReader(body))
			if err != nil {
				return nil
			}
			req.Header.Set("Authorization", "Bearer "+r.token)
			req.Header.Set("Content-Type", "application/json")
			resp, err := r.e.Client().Do(req)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			_, err = io.ReadAll(resp.Body)
			return err
		}
		if err := fails("PUT", "{S}/resourceGroups/made"+groupV, `{"location":"westus2"}`); err == nil {
			r.Error("the connection did not break")
		}
		if err := fails("GET", "{S}/resourceGroups/made"+groupV, ""); err == nil {
			r.Error("the answer was whole")
		}
		if a := r.do("GET", "{S}/resourceGroups/made"+groupV, ""); a.status != 503 {
			r.Errorf("got %d", a.status)
		}
		if a := r.do("GET", "{S}/resourceGroups/made"+groupV, ""); a.status != 200 {
			r.Errorf("what was carried out is not there: %d", a.status)
		}
	})
}
