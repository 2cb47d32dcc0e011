// Command apimap checks that the tests named in docs/api-map.md run the functions they stand for: it runs
// just those tests with coverage, package by package, and looks whether a statement of each function was
// reached. Types, fields and constants have no statements; the tests of the root package check that they
// exist. Go remembers what tests reached, so that only what has changed runs again.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
)

func main() {
	missed, skipped, checked, err := check(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, "apimap:", err)
		os.Exit(1)
	}
	for _, m := range slices.Concat(skipped, missed) {
		fmt.Println(m)
	}
	fmt.Printf("%d functions of docs/api-map.md are checked, %d are not reached by their tests, %d have tests that are skipped here\n", checked, len(missed), len(skipped))
	if len(missed) > 0 {
		os.Exit(1)
	}
}

// row is a function or method in the map with the Go tests of one package.
type row struct{ reference, symbol string }

var tableRow = regexp.MustCompile("^\\| `([^`]+)` \\| `([^`]+)` \\| (.*) \\|$")

// check returns the rows whose function none of its own package's tests reached, apart from those of which a test was skipped
// because it lacked something.
func check(ctx context.Context) (missed, skipped []string, checked int, err error) {
	functions, dirs, err := functionsOf(".")
	if err != nil {
		return nil, nil, 0, err
	}
	data, err := os.ReadFile("docs/api-map.md")
	if err != nil {
		return nil, nil, 0, err
	}
	tests := map[string][]string{}        // package name → tests
	var covered []string                  // import paths; the same for all tests, so that each is compiled once
	rows := map[row]map[string][]string{} // → package name → tests
	for line := range strings.Lines(string(data)) {
		m := tableRow.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		function, isFunction := functions[m[2]]
		if !isFunction {
			continue
		}
		for name := range strings.SplitSeq(m[3], ", ") {
			pkg, test, ok := strings.Cut(name, ".")
			if !ok {
				continue // a script, which runs in a process of its own
			}
			tests[pkg] = append(tests[pkg], test)
			covered = append(covered, path.Dir(function.file))
			r := row{m[1], m[2]}
			if rows[r] == nil {
				rows[r] = map[string][]string{}
			}
			rows[r][pkg] = append(rows[r][pkg], test)
		}
	}
	slices.Sort(covered)
	covered = slices.Compact(covered)
	ran := map[string]*outcome{} // package name →
	var wait sync.WaitGroup
	slots := make(chan struct{}, runtime.NumCPU())
	for pkg, names := range tests {
		o := &outcome{}
		ran[pkg] = o
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			o.err = o.cover(ctx, dirs[pkg], names, covered)
		})
	}
	wait.Wait()
	for _, o := range ran {
		err = errors.Join(err, o.err)
	}
	if err != nil {
		return nil, nil, 0, err
	}
	for r, pkgs := range rows {
		checked++
		hit, without := false, ""
		for pkg, names := range pkgs {
			hit = hit || functions[r.symbol].in(ran[pkg].reached)
			for _, name := range names {
				if slices.Contains(ran[pkg].skipped, name) {
					without = pkg + "." + name
				}
			}
		}
		switch {
		case hit:
		case without != "":
			skipped = append(skipped, fmt.Sprintf("%s: not checked, as %s is skipped here", r.reference, without))
		default:
			missed = append(missed, fmt.Sprintf("%s: its tests do not reach %s", r.reference, r.symbol))
		}
	}
	slices.Sort(missed)
	slices.Sort(skipped)
	return missed, skipped, checked, nil
}

// outcome is what the named tests of a package came to.
type outcome struct {
	reached map[string][]span // file → lines
	skipped []string          // tests that were skipped, or a part of which was
	err     error
}

// span is a range of lines that ran.
type span struct{ from, to int }

// place is where a function stands.
type place struct {
	file string // import path of the file, as in a coverage profile
	span
}

func (p place) in(reached map[string][]span) bool {
	return slices.ContainsFunc(reached[p.file], func(s span) bool { return s.from <= p.to && s.to >= p.from })
}

const module = "github.com/azlin-dev/azlin"

// functionsOf finds every exported function and method, and the directory of each package by its name.
func functionsOf(root string) (map[string]place, map[string]string, error) {
	functions, dirs := map[string]place{}, map[string]string{}
	fset := token.NewFileSet()
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") {
			return err
		}
		dir := filepath.ToSlash(filepath.Dir(name))
		pkg := path.Base(dir)
		if dir == "." {
			pkg = "azlin"
		}
		if !strings.HasPrefix(dir, "emulator") && !strings.HasPrefix(dir, "test") {
			dirs[pkg] = dir
		}
		if strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			symbol := pkg + "." + fn.Name.Name
			if fn.Recv != nil {
				symbol = pkg + "." + receiver(fn.Recv.List[0].Type) + "." + fn.Name.Name
			}
			functions[symbol] = place{
				path.Join(module, filepath.ToSlash(name)),
				span{fset.Position(fn.Body.Lbrace).Line, fset.Position(fn.Body.Rbrace).Line},
			}
		}
		return nil
	})
	return functions, dirs, err
}

func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return ""
}

var skippedTest = regexp.MustCompile(`(?m)^\s*--- SKIP: ([^\s/]+)`)

// cover runs the named tests of a package and finds out what they reached in others.
func (o *outcome) cover(ctx context.Context, dir string, names, others []string) error {
	if dir == "" {
		return errors.New("docs/api-map.md names tests of an unknown package")
	}
	profile, err := os.CreateTemp("", "apimap-*.cover")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(profile.Name()) }() // a temporary file
	if err := profile.Close(); err != nil {
		return err
	}
	slices.Sort(names)
	run := "^(" + strings.Join(slices.Compact(names), "|") + ")$"
	out, err := exec.CommandContext(ctx, "go", "test", "-v", "-vet=off", "-run", run,
		"-coverpkg="+strings.Join(others, ","), "-coverprofile="+profile.Name(), "./"+dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("go test ./%s -run %s: %w\n%s", dir, run, err, out)
	}
	for _, m := range skippedTest.FindAllStringSubmatch(string(out), -1) {
		o.skipped = append(o.skipped, m[1])
	}
	f, err := os.Open(profile.Name())
	if err != nil {
		return err
	}
	defer f.Close()
	o.reached, err = readProfile(bufio.NewScanner(f))
	return err
}

// readProfile reads lines like file.go:12.34,56.78 3 1: begin, end, statements, count.
func readProfile(lines *bufio.Scanner) (map[string][]span, error) {
	reached := map[string][]span{}
	for lines.Scan() {
		file, rest, ok := strings.Cut(lines.Text(), ":")
		fields := strings.FieldsFunc(rest, func(r rune) bool { return r == '.' || r == ',' || r == ' ' })
		if !ok || len(fields) != 6 || fields[5] == "0" {
			continue
		}
		from, err := strconv.Atoi(fields[0])
		if err != nil {
			continue
		}
		to, err := strconv.Atoi(fields[2])
		if err != nil {
			continue
		}
		reached[file] = append(reached[file], span{from, to})
	}
	return reached, lines.Err()
}
