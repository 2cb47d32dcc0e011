package emulator_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/emulator"
)

// TestActivityLog: changes are in the log with who asked for them and how they ended, readings are not.
func TestActivityLog(t *testing.T) {
	bubble(t, emulator.Options{Exhausted: []string{"Standard_D4s_v5"}}, func(r *raw) {
		began := time.Now()
		r.ok(r.do("PUT", comp+"virtualMachines/vm"+computeV, vmBody("Standard_D2s_v5", "Standard_D4s_v5"), "X-Ms-Correlation-Request-Id", "7f7a9e6c-6f3e-4a5d-8f6a-0f9d1f0c2a11"), 201)
		r.ok(r.do("PUT", comp+"virtualMachines/bad%20name"+computeV, vmBody()), 400)
		time.Sleep(5 * time.Minute)
		r.ok(r.do("GET", comp+"virtualMachines/vm"+computeV, ""), 200)
		list := func(filter string) []any {
			t.Helper()
			a := r.ok(r.do("GET", "{S}/providers/Microsoft.Insights/eventtypes/management/values?api-version=2015-04-01&$filter="+url.QueryEscape(r.path(filter)), ""), 200)
			all, _ := a.at("value").([]any)
			return all
		}
		until := " and eventTimestamp le '" + began.Add(time.Hour).UTC().Format(time.RFC3339) + "'"
		since := "eventTimestamp ge '" + began.UTC().Format(time.RFC3339) + "'" + until
		of := func(e any, path ...string) string {
			for _, p := range path {
				m, _ := e.(map[string]any)
				e = m[p]
			}
			text, _ := e.(string)
			return text
		}
		events := list(since + " and resourceUri eq '" + comp + "virtualMachines/VM'")
		if len(events) != 2 {
			t.Fatalf("%d events: %v", len(events), events)
		}
		for n, want := range []string{"Failed", "Accepted"} { // newest first
			e := events[n]
			if of(e, "status", "value") != want || of(e, "operationName", "value") != "Microsoft.Compute/virtualMachines/write" ||
				of(e, "correlationId") != "7f7a9e6c-6f3e-4a5d-8f6a-0f9d1f0c2a11" || of(e, "caller") == "" || of(e, "resourceGroupName") != "lab" {
				t.Errorf("%v", e)
			}
		}
		if message := of(events[0], "properties", "statusMessage"); !strings.Contains(message, `"AllocationFailed"`) || of(events[0], "level") != "Error" {
			t.Errorf("%v", events[0])
		}
		if n := len(list(since + " and status eq 'Failed' and resourceGroupName eq 'lab'")); n != 2 {
			t.Errorf("%d failures of the group", n)
		}
		if n := len(list("eventTimestamp ge '" + time.Now().UTC().Format(time.RFC3339) + "'" + until)); n != 0 {
			t.Errorf("%d events since now", n)
		}
		for _, filter := range []string{"", "resourceUri eq '/x'", "eventTimestamp ge 'soon'", since + " or status eq 'Failed'", "eventTimestamp ge '1990-01-01T00:00:00Z'" + until, "eventTimestamp ge '" + began.UTC().Format(time.RFC3339) + "'"} {
			r.ok(r.do("GET", "{S}/providers/Microsoft.Insights/eventtypes/management/values?api-version=2015-04-01&$filter="+url.QueryEscape(filter), ""), 400)
		}
	})
}
