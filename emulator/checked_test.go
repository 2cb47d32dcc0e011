package emulator_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/azlin-dev/azlin/emulator/provenance"
	"github.com/azlin-dev/azlin/emulator/record"
)

var update = flag.Bool("update", false, "write which operations the official SDK makes into provenance/checked.tsv")

// asked collects what the official SDK asks for in the tests of this package.
var asked operations

type operations struct {
	mu   sync.Mutex
	seen map[string]bool
}

func (o *operations) Write(line []byte) (int, error) {
	var x record.Exchange
	if err := json.Unmarshal(line, &x); err != nil {
		return 0, err
	}
	u, err := url.Parse(x.URL)
	if err != nil {
		return 0, err
	}
	agent := x.RequestHeader.Get("User-Agent")
	if strings.HasPrefix(agent, "azsdk-go-") || x.RequestHeader.Get("X-Client-Sku") == "MSAL.Go" {
		if op := provenance.Operation(x.Method, u.Path); op != "" {
			o.mu.Lock()
			if o.seen == nil {
				o.seen = map[string]bool{}
			}
			o.seen[op] = true
			o.mu.Unlock()
		}
	}
	return len(line), nil
}

// judge holds what was asked for against provenance/checked.tsv, after all tests have run. It returns the
// exit code.
func (o *operations) judge() int {
	const name = "provenance/checked.tsv"
	if *update {
		if err := os.WriteFile(name, []byte(provenance.WithChecked(provenance.BySDK, o.seen)), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	}
	for _, f := range []string{"test.run", "test.skip", "test.fuzz", "test.list"} {
		if flag.Lookup(f).Value.String() != "" {
			return 0 // not all of it ran
		}
	}
	code := 0
	for _, op := range provenance.Checked()[provenance.BySDK] {
		if !o.seen[op] {
			fmt.Fprintf(os.Stderr, "%s says that the SDK asks for %s; it did not: go test ./emulator -update\n", name, op)
			code = 1
		}
	}
	for op := range o.seen {
		if !slices.Contains(provenance.Checked()[provenance.BySDK], op) {
			fmt.Fprintf(os.Stderr, "the SDK asks for %s, which %s does not know: go test ./emulator -update\n", op, name)
			code = 1
		}
	}
	return code
}
