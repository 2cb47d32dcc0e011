//go:build unix

package cli_test

import (
	"strings"
	"sync"
	"testing"
)

// together runs command lines at the same time and returns what each came to.
func (i *installed) together(lines ...string) []ran {
	i.t.Helper()
	results := make([]ran, len(lines))
	var all sync.WaitGroup
	for n, line := range lines {
		all.Go(func() {
			cmd := i.command(strings.Fields(line)...)
			var errOut strings.Builder
			cmd.Stderr = &errOut
			out, _ := cmd.Output() // its state tells
			results[n] = ran{cmd.ProcessState.ExitCode(), string(out), errOut.String()}
		})
	}
	all.Wait()
	return results
}

// TestAtOnce: two launches of one name, two kills of it, and a launch against a kill. There is one VM or none at the end,
// which is what was said, nothing else is left, and who came too late hears why.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	i := install(t)
	const create = "new --name x --tools none --yes --no-auto-connect --progress none"
	i.must("list")
	for round := range 2 {
		said := i.together(create, create)
		made := 0
		for _, r := range said {
			switch {
			case r.code == 0:
				made++
			case r.code != 7 && r.code != 4 || !strings.Contains(r.errOut, "x"):
				t.Errorf("round %d, new: exit code %d\n%s", round, r.code, r.errOut)
			}
		}
		if got := strings.TrimSpace(i.must("list", "--jq", `[.[].name]|join(" ")`)); got != "x" || made == 0 {
			t.Fatalf("round %d: the VMs are %q, %d said that they made one\n%s\n%s", round, got, made, said[0].errOut, said[1].errOut)
		}
		i.must("exec", "x", "--", "true")

		said = i.together("kill x --yes --ignore-not-found", "kill x --yes --ignore-not-found")
		for _, r := range said {
			if r.code != 0 {
				t.Errorf("round %d, kill: exit code %d\n%s", round, r.code, r.errOut)
			}
		}
		i.onlyShared()

		said = i.together(create, "kill x --yes --ignore-not-found")
		if said[1].code != 0 && said[1].code != 9 && said[1].code != 7 {
			t.Errorf("round %d, kill against new: exit code %d\n%s", round, said[1].code, said[1].errOut)
		}
		names := strings.TrimSpace(i.must("list", "--jq", `[.[].name]|join(" ")`))
		if said[0].code == 0 && names == "x" {
			i.must("exec", "x", "--", "true")
		} else if said[0].code == 0 && !strings.Contains(said[1].out, "x") {
			t.Errorf("round %d: new says that it made the VM, and kill did not take it, but there is none", round)
		}
		i.must("kill", "x", "--yes", "--ignore-not-found")
		i.onlyShared()
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
}
