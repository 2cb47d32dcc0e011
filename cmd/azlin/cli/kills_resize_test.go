//go:build unix

package cli_test

import (
	"strconv"
	"strings"
	"testing"
)

// TestKillsDuringResize kills azlin at a random request of `resize`, runs it again and wants a running VM of that size with
// its files. The seed is printed; AZLIN_TORTURE_SEED repeats a run.
func TestKillsDuringResize(t *testing.T) {
	t.Parallel()
	killsDuringResize(t, 5)
}

func killsDuringResize(t *testing.T, rounds uint64) {
	t.Helper()
	random := torture(t, &rounds)
	i := install(t)
	sizes := []string{"Standard_D4s_v5", "Standard_D2s_v5"}
	i.must("new", "--name", "dev", "--tools", "none", "--size", sizes[0], "--yes", "--no-auto-connect")
	i.must("exec", "dev", "--", "touch", "kept")
	during := i.counted("resize", "dev", sizes[1], "--yes")
	cuts := 0
	for round := range rounds {
		size := sizes[round%2]
		if i.cutOff(random, during, "resize", "dev", size, "--yes") {
			cuts++
		}
		i.must("resize", "dev", size, "--yes")
		if got := strings.Fields(i.must("show", "dev", "-o", "json", "--jq", `.size, .power_state, (.tags|has("azlin-resize"))`)); strings.Join(got, " ") != size+" running false" {
			t.Fatalf("round %s: %q, want %s", strconv.FormatUint(round, 10), got, size)
		}
		i.must("exec", "dev", "--", "ls", "kept")
	}
	t.Logf("%d of %d runs were cut off, the others were done before", cuts, rounds)
}
