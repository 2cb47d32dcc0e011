// Command report reads the output of `go test -json` and prints what a person wants to know: the output
// of what failed, how many tests passed, and the ten slowest.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

type event struct {
	Action  string
	Package string
	Test    string
	Output  string
	Elapsed float64
}

func main() {
	if err := report(); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func report() error {
	output := map[string]*strings.Builder{}
	var ended []event
	counts := map[string]int{}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Println(lines.Text()) // a build failure, said in plain text
			continue
		}
		key := e.Package + " " + e.Test
		if output[key] == nil {
			output[key] = &strings.Builder{}
		}
		switch e.Action {
		case "output", "build-output":
			output[key].WriteString(e.Output)
		case "build-fail":
			fmt.Print(output[key].String())
		case "pass", "fail", "skip":
			if e.Action == "fail" {
				fmt.Print(output[key].String())
			}
			if e.Test == "" {
				fmt.Printf("%-5s %-50s %6.1fs\n", e.Action, e.Package, e.Elapsed)
				continue
			}
			counts[e.Action]++
			ended = append(ended, e)
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	slices.SortFunc(ended, func(a, b event) int { return int((b.Elapsed - a.Elapsed) * 1000) })
	fmt.Println("\nthe ten slowest tests:")
	for _, e := range ended[:min(10, len(ended))] {
		fmt.Printf("%6.2fs  %s %s\n", e.Elapsed, e.Package, e.Test)
	}
	fmt.Printf("\n%d passed, %d failed, %d skipped\n", counts["pass"], counts["fail"], counts["skip"])
	if counts["pass"] == 0 {
		return fmt.Errorf("no test was run")
	}
	return nil
}
