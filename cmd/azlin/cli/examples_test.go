package cli_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/cli"
)

// TestExamplesAreRun wants the examples that --help shows for what people do every day in script examples, word by word.
func TestExamplesAreRun(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile("testdata/script/examples.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var run []string
	for line := range strings.Lines(string(script)) {
		line = strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(line), "! "), "exec ")
		if quoted, ok := strings.CutPrefix(line, "terminal '"); ok {
			line = strings.TrimSuffix(quoted, "'")
		}
		run = append(run, line)
	}
	everyDay := strings.Fields("status update os-update tag template keys cleanup resize clone image prune code why")
	found := 0
	for _, top := range cli.Root().Commands() {
		if !slices.Contains(everyDay, top.Name()) {
			continue
		}
		walk(top, func(cmd *cobra.Command) {
			for example := range strings.Lines(cmd.Example) {
				if example = strings.TrimSpace(example); example == "" {
					continue
				}
				found++
				if !slices.Contains(run, example) {
					t.Errorf("%s: example %q is not run", cmd.CommandPath(), example)
				}
			}
		})
	}
	if found < 2*len(everyDay) {
		t.Errorf("%d examples were found", found)
	}
}
