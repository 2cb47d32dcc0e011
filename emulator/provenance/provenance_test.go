package provenance_test

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/provenance"
)

var update = flag.Bool("update", false, "write docs/fidelity.md")

// TestEveryRouteHasARow fails when a route is emulated whose source nobody has named, and when a row
// is about a route that is gone.
func TestEveryRouteHasARow(t *testing.T) {
	t.Parallel()
	e, err := emulator.New(emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	rows := map[string]bool{}
	for _, r := range provenance.Rows() {
		if !slices.Contains([]string{provenance.Recording, provenance.Specification, provenance.SDK, provenance.AzureCLI, provenance.Unverified}, r.Source) {
			t.Errorf("%s %s: there is no source %q", r.Method, r.Route, r.Source)
		}
		if rows[r.Method+" "+r.Route] {
			t.Errorf("%s %s has two rows", r.Method, r.Route)
		}
		rows[r.Method+" "+r.Route] = true
	}
	for _, route := range e.Routes() {
		if !rows[route] {
			t.Errorf("no row says where the answer to %s comes from", route)
		}
		delete(rows, route)
	}
	for row := range rows {
		if strings.Contains(row, "/subscriptions") || strings.Contains(row, "{scope}") {
			t.Errorf("the row of %s is about nothing", row)
		}
	}
}

func TestDocument(t *testing.T) {
	t.Parallel()
	const name = "../../docs/fidelity.md"
	want := provenance.Markdown()
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not up to date: go test ./emulator/provenance -update", name)
	}
}
