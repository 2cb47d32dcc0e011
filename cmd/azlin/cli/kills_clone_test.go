//go:build unix

package cli_test

import (
	"strconv"
	"strings"
	"testing"
)

// TestKillsDuringClone kills azlin at a random request of `clone`, runs it again and wants one clone that can be signed in
// to, and no snapshot; then `kill`, and wants nothing of it. The seed is printed; AZLIN_TORTURE_SEED repeats a run.
func TestKillsDuringClone(t *testing.T) {
	t.Parallel()
	killsDuringClone(t, 5)
}

func killsDuringClone(t *testing.T, rounds uint64) {
	t.Helper()
	random := torture(t, &rounds)
	i := install(t)
	i.must("new", "--name", "dev", "--tools", "none", "--yes", "--no-auto-connect")
	i.must("exec", "dev", "--", "touch", "kept")
	during := i.counted("clone", "dev", "--name", "measure", "--yes")
	i.must("kill", "measure", "--yes", "--ignore-not-found")
	count := func() string {
		t.Helper()
		return strings.TrimSpace(i.must("emulator", "status", "-o", "json", "--jq", `.resources | to_entries | map(select(.value > 0) | "\(.key) \(.value)") | join(", ")`))
	}
	before := count()
	cuts := 0
	for round := range rounds {
		name := "c" + strconv.FormatUint(round, 10)
		if i.cutOff(random, during, "clone", "dev", "--name", name, "--yes") {
			cuts++
		}
		if out, err := i.command("clone", "dev", "--name", name, "--yes").CombinedOutput(); err != nil && !strings.Contains(string(out), "already: choose another name") {
			t.Fatalf("round %d: %v\n%s", round, err, out)
		}
		i.must("exec", name, "--", "ls", "kept")
		i.must("kill", name, "--yes", "--ignore-not-found")
		if after := count(); after != before {
			t.Fatalf("round %d: there is %s, not %s", round, after, before)
		}
	}
	t.Logf("%d of %d runs were cut off, the others were done before", cuts, rounds)
}
