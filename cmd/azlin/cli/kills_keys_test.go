//go:build unix

package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestKillsDuringKeyRotation kills azlin at a random request of a rotation. Each time the VM still lets its user in, and
// the next run ends with the new key alone, nothing being left over. The seed is printed; AZLIN_TORTURE_SEED repeats a run.
func TestKillsDuringKeyRotation(t *testing.T) {
	t.Parallel()
	killsDuringKeyRotation(t, 5)
}

func killsDuringKeyRotation(t *testing.T, rounds uint64) {
	t.Helper()
	random := torture(t, &rounds)
	i := install(t)
	i.must("new", "--name", "dev", "--tools", "none", "--yes", "--no-auto-connect")
	during := i.counted("keys", "rotate", "dev", "--yes")
	public := func() string {
		t.Helper()
		data, err := os.ReadFile(filepath.Join(i.home, ".ssh", "azlin_key.pub"))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	cuts := 0
	for round := range rounds {
		if i.cutOff(random, during, "keys", "rotate", "dev", "--yes") {
			cuts++
		}
		i.must("exec", "dev", "--", "true")
		before := public()
		i.must("keys", "rotate", "dev", "--yes")
		if got, want := i.must("exec", "dev", "--", "cat", ".ssh/authorized_keys"), public(); got != want {
			t.Fatalf("round %d: it lets in\n%swant\n%s, before\n%s", round, got, want, before)
		}
		for _, pattern := range []string{".azlin/operations/*.json", ".azlin/keys/new-*", ".azlin/keys/.*", ".ssh/.*"} {
			if left, err := filepath.Glob(filepath.Join(i.home, pattern)); err != nil || len(left) > 0 {
				t.Fatalf("round %d: left over: %v, %v", round, left, err)
			}
		}
		if left := strings.TrimSpace(i.must("exec", "dev", "--", "sh", "-c", "ls -A .ssh | grep -v authorized_keys || :")); left != "" {
			t.Fatalf("round %d: left over on the VM: %s", round, left)
		}
	}
	t.Logf("%d of %d rotations were cut off, the others were done before", cuts, rounds)
}
