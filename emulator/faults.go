package emulator

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
	"github.com/azlin-dev/azlin/emulator/fault"
)

// AddFault makes something go wrong from now on.
func (e *Emulator) AddFault(r fault.Rule) (fault.Rule, error) { return e.faults.Add(r) }

// Faults lists what goes wrong, and how often it has.
func (e *Emulator) Faults() []fault.Rule { return e.faults.List() }

// ClearFaults removes faults by their ids, or all of them, and says how many. Operations that they held end.
func (e *Emulator) ClearFaults(ids ...string) int {
	n := e.faults.Clear(ids...)
	e.arm.Release()
	return n
}

// faultable tells of a request what rules look at. The emulator's own commands never go wrong.
func faultable(r *http.Request) (fault.Request, bool) {
	if strings.HasPrefix(r.URL.Path, controlPath) {
		return fault.Request{}, false
	}
	q := fault.Request{Method: r.Method, Path: r.URL.Path}
	if id, err := resourceid.Parse(r.URL.Path); err == nil {
		q.Type, q.Name = id.Type(), resourceid.NameOf(r.URL.Path)
	}
	return q, true
}

// operationFault decides on what goes wrong with an operation.
func (e *Emulator) operationFault(kind, target string) *arm.Fault {
	typ := ""
	if id, err := resourceid.Parse(target); err == nil {
		typ = id.Type()
	}
	r := e.faults.OnOperation(kind, typ, resourceid.NameOf(target))
	if r == nil {
		return nil
	}
	f := &arm.Fault{Rule: r.ID}
	switch r.Effect {
	case fault.Stuck:
		f.Stuck = true
	case fault.Lie:
		if f.Lie = r.Delay; f.Lie == 0 {
			f.Lie = 5 * time.Second
		}
	default:
		f.Fail = failureOf(*r)
	}
	return f
}

// failureOf is the error that an operation is made to end in, in Azure's words for the codes that it is known for.
func failureOf(r fault.Rule) *arm.Error {
	code, message := r.Code, r.Message
	if code == "" {
		code = "AllocationFailed"
	}
	if message == "" {
		switch code {
		case "AllocationFailed":
			message = "Allocation failed. We do not have sufficient capacity for the requested VM size in this region. Read more about improving likelihood of allocation success at http://aka.ms/allocation-guidance"
		case "ZonalAllocationFailed":
			message = "Allocation failed. We do not have sufficient capacity for the requested VM size in this zone. Read more about improving likelihood of allocation success at http://aka.ms/allocation-guidance"
		case "OverconstrainedZonalAllocationRequest":
			message = "Allocation failed. VM(s) with the following constraints cannot be allocated, because the condition is too restrictive. Please remove some constraints and try again. Constraints applied are: VM Size, Availability Zone."
		default:
			message = "The operation failed."
		}
	}
	return &arm.Error{Status: http.StatusConflict, Code: code, Message: message}
}

// faultCommands are the daemon's commands about faults.
func (d *daemon) faultCommands(r *http.Request, what string) (any, error) {
	switch r.Method + " " + what {
	case "GET faults":
		return d.e.Faults(), nil
	case "POST fault":
		var rule fault.Rule
		if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&rule); err != nil {
			return nil, fmt.Errorf("fault: %w", err)
		}
		return d.e.AddFault(rule)
	case "POST faults/clear":
		var ids []string
		if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&ids); err != nil {
			return nil, fmt.Errorf("faults: %w", err)
		}
		return d.e.ClearFaults(ids...), nil
	}
	return nil, errNoCommand
}

// AddFault is Emulator.AddFault for the emulator that serves a directory. Faults last until that one ends.
func AddFault(ctx context.Context, dir string, r fault.Rule) (fault.Rule, error) {
	var added fault.Rule
	err := control(ctx, dir, http.MethodPost, "fault", r, &added)
	return added, err
}

// Faults is Emulator.Faults for the emulator that serves a directory.
func Faults(ctx context.Context, dir string) ([]fault.Rule, error) {
	var rules []fault.Rule
	err := control(ctx, dir, http.MethodGet, "faults", nil, &rules)
	return rules, err
}

// ClearFaults is Emulator.ClearFaults for the emulator that serves a directory.
func ClearFaults(ctx context.Context, dir string, ids ...string) (int, error) {
	n := 0
	if ids == nil {
		ids = []string{}
	}
	err := control(ctx, dir, http.MethodPost, "faults/clear", ids, &n)
	return n, err
}
