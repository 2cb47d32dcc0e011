//go:build unix

package cli_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/test/wait"
)

// TestKillsDuringCleanup kills azlin at a random request of a cleanup. The next one deletes the rest, and a VM beside it
// keeps everything. The seed is printed; AZLIN_TORTURE_SEED repeats a run.
func TestKillsDuringCleanup(t *testing.T) {
	t.Parallel()
	killsDuringCleanup(t, 5)
}

func killsDuringCleanup(t *testing.T, rounds uint64) {
	t.Helper()
	random := torture(t, &rounds)
	i := install(t)
	i.must("new", "--name", "dev", "--tools", "none", "--yes", "--no-auto-connect")
	door, status := i.door()
	mine := map[string]any{"managed-by": "azlin"}
	orphans := func() {
		t.Helper()
		for n := range 4 {
			for path, body := range map[string]map[string]any{
				"Microsoft.Compute/disks/d%d?2023-04-02":                 {"properties": map[string]any{"creationData": map[string]any{"createOption": "Empty"}, "diskSizeGB": 32}},
				"Microsoft.Network/publicIPAddresses/i%d?2024-05-01":     {"sku": map[string]any{"name": "Standard"}, "properties": map[string]any{"publicIPAllocationMethod": "Static"}},
				"Microsoft.Network/networkSecurityGroups/g%d?2024-05-01": {"properties": map[string]any{}},
			} {
				body["location"], body["tags"] = "westus2", mine
				path, version, _ := strings.Cut(path, "?")
				if _, err := door.Do(t.Context(), "PUT", "/subscriptions/"+status.SubscriptionID+"/resourceGroups/azlin-rg/providers/"+fmt.Sprintf(path, n), version, body); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	count := func() map[string]int {
		t.Helper()
		all := map[string]int{}
		if err := json.Unmarshal([]byte(i.must("emulator", "status", "-o", "json", "--jq", ".resources")), &all); err != nil {
			t.Fatal(err)
		}
		return all
	}
	clean := []string{"cleanup", "--delete", "--yes", "--older-than", "0s"}
	// What was put a moment ago is not yet made: a disk in the making is nobody's orphan.
	made := func() {
		t.Helper()
		wait.Until(t, "the orphans are found", func() bool {
			return i.must("cleanup", "--older-than", "0s", "-o", "json", "--jq", ".total_found") == "12\n"
		})
	}
	before := count()
	orphans()
	made()
	during := i.counted(clean...)
	cuts := 0
	for round := range rounds {
		orphans()
		made()
		if i.cutOff(random, during, clean...) {
			cuts++
		}
		i.must(clean...)
		i.must("exec", "dev", "--", "true")
		for kind, n := range count() {
			if n != before[kind] {
				t.Fatalf("round %d: %d of %s, there were %d", round, n, kind, before[kind])
			}
		}
	}
	t.Logf("%d of %d cleanups were cut off, the others were done before", cuts, rounds)
}
