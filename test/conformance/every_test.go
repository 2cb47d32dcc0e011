package conformance_test

import (
	"slices"
	"testing"

	"github.com/azlin-dev/azlin/emulator/provenance"
)

// without are the operations that have no case, and why.
var without = map[string]string{
	"GET /echo/ipv4/{n}":             "not Azure's: services of others, which echo an address",
	"POST /common/oauth2/deviceauth": "a page for people, whose form is the emulator's own",
}

// TestEveryOperation: whatever is emulated is held against what Azure answers.
func TestEveryOperation(t *testing.T) {
	t.Parallel()
	examples := provenance.Checked()[provenance.ByExample]
	known := map[string]bool{}
	for _, r := range provenance.Rows() {
		op := r.Method + " " + r.Route
		known[op] = true
		has, why := slices.Contains(examples, op), without[op]
		switch {
		case has && why != "":
			t.Errorf("%s has a case, though %s", op, why)
		case has, why != "":
		default:
			t.Errorf("%s has no case, and nothing says why", op)
		}
	}
	for op := range without {
		if !known[op] {
			t.Errorf("%s is not emulated", op)
		}
	}
}
