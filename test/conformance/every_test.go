package conformance_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/emulator/provenance"
)

// without are the operations that have no case, and why.
var without = map[string]string{
	"GET /echo/ipv4/{n}":               "not Azure's: services of others, which echo an address",
	"GET /bootdiagnostics/{vm}/{file}": "a blob at an address that Azure signs, of which no answer was found",
}

// awaited are the parts of routes whose cases are still being made.
var awaited = []string{"/providers/Microsoft.Compute/"}

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
		case has, why != "", slices.ContainsFunc(awaited, func(part string) bool { return strings.Contains(op, part) }):
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
