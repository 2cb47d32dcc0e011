//go:build az

package az_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/emulator/provenance"
	"github.com/azlin-dev/azlin/emulator/record"
)

var update = flag.Bool("update", false, "write which operations az makes into emulator/provenance/checked.tsv")

const checkedFile = "../../emulator/provenance/checked.tsv"

// checkOperations holds what az was seen to ask, with success or without, against what docs/fidelity.md says
// that it asks. The recording must not hold what az signed in with, nor any token.
func checkOperations(t *testing.T, file, secretFile string) {
	t.Helper()
	secret, err := os.ReadFile(secretFile)
	if err != nil {
		t.Fatal(err)
	}
	token := regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.`)
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // read only
	seen := map[string]bool{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		if bytes.Contains(lines.Bytes(), bytes.TrimSpace(secret)) || token.Match(lines.Bytes()) {
			t.Error("a secret is in the recording")
		}
		var x record.Exchange
		if err := json.Unmarshal(lines.Bytes(), &x); err != nil {
			t.Fatal(err)
		}
		agent := x.RequestHeader.Get("User-Agent")
		if !strings.HasPrefix(agent, "AZURECLI/") && !strings.HasPrefix(agent, "python-requests/") && x.RequestHeader.Get("X-Client-Sku") != "MSAL.Python" {
			continue // azlin's, or this test's own
		}
		u, err := url.Parse(x.URL)
		if err != nil {
			t.Fatal(err)
		}
		if op := provenance.Operation(x.Method, strings.ReplaceAll(u.Path, "//", "/")); op != "" {
			seen[op] = true
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(checkedFile, []byte(provenance.WithChecked(provenance.ByAz, seen)), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if t.Failed() || flag.Lookup("test.run").Value.String() != "" {
		return // not all of it ran
	}
	claimed := provenance.Checked()[provenance.ByAz]
	for _, op := range claimed {
		if !seen[op] {
			t.Errorf("checked.tsv says that az asks for %s; it did not: -update", op)
		}
	}
	for op := range seen {
		if !slices.Contains(claimed, op) {
			t.Errorf("az asks for %s, which checked.tsv does not know: -update", op)
		}
	}
}
