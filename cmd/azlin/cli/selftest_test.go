package cli_test

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/local/config"
)

var update = flag.Bool("update", false, "write docs/faults.md as it is found")

// TestFaultTable makes the table of docs/faults.md anew and wants it to be the same: every command meets every fault, none
// hangs, none says that it is done when it is not, and all can be gone on with.
func TestFaultTable(t *testing.T) {
	t.Parallel()
	const page = "../../../docs/faults.md"
	p := &person{t: t, environ: config.Environ()}
	r := p.runFor(longest, "selftest", "--faults", "--markdown")
	if r.code != 0 {
		t.Fatalf("exit code %d\n%s", r.code, r.errOut)
	}
	if *update {
		if err := os.WriteFile(page, []byte(r.out), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(r.out, "\n")); diff != "" {
		t.Errorf("docs/faults.md is not what is found (go test ./cmd/azlin/cli -run TestFaultTable -update):\n%s", diff)
	}
}

// TestSelftest is what a person sees who has nothing but azlin.
func TestSelftest(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	r := p.run("selftest", "-o", "json")
	var table []struct {
		Fault    string
		Outcomes map[string]string
	}
	if err := json.Unmarshal([]byte(r.out), &table); err != nil || r.code != 0 {
		t.Fatalf("exit code %d, %v\n%s%s", r.code, err, r.out, r.errOut)
	}
	if len(table) != 1 || table[0].Fault != "no fault" || len(table[0].Outcomes) != 16 {
		t.Fatalf("got %+v", table)
	}
	for column, outcome := range table[0].Outcomes {
		if outcome != "ok" {
			t.Errorf("%s: %s", column, outcome)
		}
	}
	if files, err := os.ReadDir(p.home); err != nil || len(files) > 0 {
		t.Errorf("the person's own directory holds %v, %v", files, err)
	}
}
