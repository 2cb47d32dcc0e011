package conformance_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/arm/contract"
	"github.com/azlin-dev/azlin/test/conformance"
)

// described holds every answer against Azure's published API descriptions.
type described struct {
	next  http.RoundTripper
	found map[string]string // what is not in them, and where it was first seen
	held  int
}

func (d *described) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := d.next.RoundTrip(r)
	if err != nil || resp.StatusCode == http.StatusSwitchingProtocols {
		return resp, err
	}
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(raw))
	version := strings.ToLower(r.URL.Query().Get("api-version"))
	if op := contract.At(r.Method, r.URL.Path, version); op != nil && r.URL.Host == "management.azure.com" {
		d.held++
		for _, what := range contract.JudgeAnswer(op, resp.StatusCode, raw) {
			if d.found[what] == "" {
				d.found[what] = r.Method + " " + r.URL.Path + "?api-version=" + version
			}
		}
	}
	return resp, nil
}

// TestAnswersAreAsDescribed: no status, member or type that Azure's descriptions do not have, but for those in
// emulator/arm/contract/beyond.tsv, which say who has seen them. docs/fidelity.md shows them.
func TestAnswersAreAsDescribed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &described{found: map[string]string{}}
		target := onEmulator(t, emulator.Options{Realistic: true}, func(rt http.RoundTripper) http.RoundTripper {
			d.next = rt
			return d
		})
		failures, err := conformance.Run(t.Context(), target, load(t))
		if err != nil || len(failures) > 0 {
			t.Fatal(failures, err) // then hardly anything was held against the descriptions
		}
		for _, what := range slices.Sorted(maps.Keys(d.found)) {
			t.Errorf("not in Azure's descriptions: %s (%s)", what, d.found[what])
		}
		t.Logf("%d answers were held against the descriptions", d.held)
	})
}
