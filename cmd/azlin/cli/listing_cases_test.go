package cli_test

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/cli"
)

// listingCases are those of the flags that all lists share: they act on `list`, and each list has its fields
// (TestFieldsOfEveryList).
func listingCases() map[string]flagCase {
	cases := map[string]flagCase{
		"azlin list --watch":    {script: "groups"},
		"azlin list --interval": {without: words("list"), with: words("--interval 1s"), want: `--interval needs --watch`},
		"azlin list --json":     {without: words("list"), with: words("--json power_state,name"), want: `"power_state": "running",\n +"name": "dev"\n`},
		"azlin list --columns":  {without: words("list"), with: words("--columns location,name"), want: `^exit code 0\nLOCATION +NAME *\n`},
		"azlin list --sort-by":  {script: "fields"},
	}
	walk(cli.Root(), func(cmd *cobra.Command) {
		for _, name := range []string{"json", "columns", "sort-by"} {
			if key := cmd.CommandPath() + " --" + name; cmd.LocalNonPersistentFlags().Lookup(name) != nil && cmd.CommandPath() != "azlin list" {
				cases[key] = flagCase{as: "azlin list --" + name}
			}
		}
	})
	return cases
}

// TestFieldsOfEveryList: --json without a value lists the fields, and a wrong one is refused with the near name, both before anything
// is asked.
func TestFieldsOfEveryList(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	lists := 0
	walk(cli.Root(), func(cmd *cobra.Command) {
		if cmd.LocalNonPersistentFlags().Lookup("json") == nil {
			return
		}
		lists++
		args := strings.Fields(cmd.CommandPath())[1:]
		r := p.run(append(args, "--json")...)
		_, fields, ok := strings.Cut(r.errOut, "--json: specify one or more of these fields, separated by commas: ")
		first, _, several := strings.Cut(fields, ", ")
		if r.code != 2 || !ok || !several {
			t.Errorf("%s --json: exit code %d\n%s", cmd.CommandPath(), r.code, r.errOut)
			return
		}
		if cmd.LocalNonPersistentFlags().Lookup("columns") == nil {
			return // no list, but what wants to know which one
		}
		for _, flag := range []string{"json", "columns", "sort-by"} {
			if r := p.run(append(args, "--"+flag, first+"x")...); r.code != 2 || !strings.Contains(r.errOut, `did you mean "`) {
				t.Errorf("%s --%s %sx: exit code %d\n%s", cmd.CommandPath(), flag, first, r.code, r.errOut)
			}
		}
	})
	if lists < 15 {
		t.Errorf("%d commands have fields", lists)
	}
}
