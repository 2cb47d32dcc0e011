// Command report reads files with the output of `go test -json` and prints what a person wants to know: the output
// of what failed, and how many tests passed; with -slowest the ten slowest tests and why tests were skipped instead.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
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
	slowest := flag.Bool("slowest", false, "print the ten slowest tests and why tests were skipped")
	flag.Parse()
	if err := report(os.Stdout, flag.Args(), *slowest); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func report(w io.Writer, files []string, slowest bool) error {
	ended, output := []event{}, map[string]*strings.Builder{}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		failures := w
		if slowest {
			failures = io.Discard // they were printed when the tests ended
		}
		some, err := read(failures, f, output)
		_ = f.Close() // it was only read
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		ended = append(ended, some...)
	}
	if slowest {
		printSkipped(w, ended, output)
		printSlowest(w, ended)
		return nil
	}
	counts := map[string]int{}
	for _, e := range ended {
		counts[e.Action]++
	}
	fmt.Fprintf(w, "\n%d passed, %d failed, %d skipped\n", counts["pass"], counts["fail"], counts["skip"])
	if counts["pass"] == 0 {
		return errors.New("no test was run")
	}
	return nil
}

// read returns the tests that ended, collects their output, and prints the packages and the output of what failed.
func read(w io.Writer, r io.Reader, output map[string]*strings.Builder) ([]event, error) {
	var ended []event
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Fprintln(w, lines.Text()) // a build failure, said in plain text
			continue
		}
		key := e.key()
		if output[key] == nil {
			output[key] = &strings.Builder{}
		}
		switch e.Action {
		case "output", "build-output":
			output[key].WriteString(e.Output)
		case "build-fail":
			fmt.Fprint(w, output[key].String())
		case "pass", "fail", "skip":
			if e.Action == "fail" {
				fmt.Fprint(w, output[key].String())
			}
			if e.Test == "" {
				fmt.Fprintf(w, "%-5s %-50s %6.1fs\n", e.Action, e.Package, e.Elapsed)
				continue
			}
			ended = append(ended, e)
		}
	}
	return ended, lines.Err()
}

func (e event) key() string { return e.Package + " " + e.Test }

func printSlowest(w io.Writer, ended []event) {
	slices.SortFunc(ended, func(a, b event) int { return cmp.Compare(b.Elapsed, a.Elapsed) })
	fmt.Fprintln(w, "\nthe ten slowest tests:")
	for _, e := range ended[:min(10, len(ended))] {
		fmt.Fprintf(w, "%6.2fs  %s %s\n", e.Elapsed, e.Package, e.Test)
	}
}

// printSkipped prints each skipped test with what it said.
func printSkipped(w io.Writer, ended []event, output map[string]*strings.Builder) {
	for _, e := range ended {
		if e.Action != "skip" {
			continue
		}
		var reason []string
		for line := range strings.Lines(output[e.key()].String()) {
			if line = strings.TrimSpace(line); !strings.HasPrefix(line, "===") && !strings.HasPrefix(line, "---") {
				reason = append(reason, line)
			}
		}
		fmt.Fprintf(w, "skipped: %s %s: %s\n", e.Package, e.Test, strings.Join(reason, " "))
	}
}
