package reach_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/audit"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/vm"
)

// TestGuard: what is refused is not done, what cannot be recorded neither, and every outcome is on record.
func TestGuard(t *testing.T) {
	t.Parallel()
	broken := errors.New("it broke")
	full := errors.New("the disk is full")
	i := vm.Info{Ref: vm.Ref{Name: "dev"}, ID: "/vm/dev"}
	for name, tc := range map[string]struct {
		readOnly bool
		fails    error
		noRecord bool
		done     bool
		kind     errkind.Kind
		cause    error
		records  []audit.Status
	}{
		"done":             {done: true, records: []audit.Status{audit.Started, audit.Succeeded}},
		"failed":           {fails: broken, done: true, cause: broken, records: []audit.Status{audit.Started, audit.Failed}},
		"read-only":        {readOnly: true, kind: errkind.Permission, cause: reach.ErrReadOnly},
		"no place to note": {noRecord: true, kind: errkind.Prerequisite, cause: full},
	} {
		var records []audit.Status
		g := reach.Guard{ReadOnly: tc.readOnly, Subscription: "sub", Record: func(r audit.Record) error {
			if tc.noRecord {
				return full
			}
			if r.Resource != i.ID || r.Operation != "add key" || r.Event != audit.Key || r.Subscription != "sub" {
				t.Errorf("%s: record %+v", name, r)
			}
			records = append(records, r.Status)
			return nil
		}}
		done := false
		err := g.Change(t.Context(), i, audit.Key, "add key", func(context.Context) error {
			done = true
			return tc.fails
		})
		if done != tc.done || errkind.Of(err) != tc.kind || !errors.Is(err, tc.cause) {
			t.Errorf("%s: done %t, %v", name, done, err)
		}
		if diff := cmp.Diff(tc.records, records); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
