// Command apimap checks that the tests named in docs/api-map.md run the functions they stand for: it runs
// just those tests with coverage, package by package, and looks whether a statement of each function was
// reached. Types, fields and constants have no statements; the tests of the root package check that they
// exist.
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
	"slices"
	"strconv"
	"strings"
)

func main() {
	missed, checked, err := check(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, "apimap:", err)
		os.Exit(1)
	}
	for _, m := range missed {
		fmt.Println(m)
	}
	fmt.Printf("%d functions of docs/api-map.md are checked, %d are not reached by their tests\n", checked, len(missed))
	if len(missed) > 0 {
		os.Exit(1)
	}
}

// row is a function or method in the map with the Go tests of one package.
type row struct{ reference, symbol string }

var tableRow = regexp.MustCompile("^\\| `([^`]+)` \\| `([^`]+)` \\| (.*) \\|$")

// check returns the rows whose function none of its own package's tests reached.
func check(ctx context.Context) (missed []string, checked int, err error) {
	functions, dirs, err := functionsOf(".")
	if err != nil {
		return nil, 0, err
	}
	data, err := os.ReadFile("docs/api-map.md")
	if err != nil {
		return nil, 0, err
	}
	tests := map[string][]string{}    // package name → tests
	rows := map[row]map[string]bool{} // → package names whose tests show it
	for line := range strings.Lines(string(data)) {
		m := tableRow.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		if _, isFunction := functions[m[2]]; !isFunction {
			continue
		}
		for name := range strings.SplitSeq(m[3], ", ") {
			pkg, test, ok := strings.Cut(name, ".")
			if !ok {
				continue // a script, which runs in a process of its own
			}
			tests[pkg] = append(tests[pkg], test)
			r := row{m[1], m[2]}
			if rows[r] == nil {
				rows[r] = map[string]bool{}
			}
			rows[r][pkg] = true
		}
	}
	reached := map[string]map[string][]span{} // package name → file → spans
	for pkg, names := range tests {
		if reached[pkg], err = cover(ctx, dirs[pkg], names); err != nil {
			return nil, 0, err
		}
	}
	for r, pkgs := range rows {
		checked++
		hit := false
		for pkg := range pkgs {
			hit = hit || functions[r.symbol].in(reached[pkg])
		}
		if !hit {
			missed = append(missed, fmt.Sprintf("%s: its tests do not reach %s", r.reference, r.symbol))
		}
	}
	slices.Sort(missed)
	return missed, checked, nil
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

// cover runs the named tests of a package and returns what they reached in this module.
func cover(ctx context.Context, dir string, names []string) (map[string][]span, error) {
	if dir == "" {
		return nil, errors.New("docs/api-map.md names tests of an unknown package")
	}
	profile, err := os.CreateTemp("", "apimap-*.cover")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(profile.Name()) }() // a temporary file
	if err := profile.Close(); err != nil {
		return nil, err
	}
	slices.Sort(names)
	run := "^(" + strings.Join(slices.Compact(names), "|") + ")$"
	out, err := exec.CommandContext(ctx, "go", "test", "-count=1", "-run", run, "-coverpkg=./...", "-coverprofile="+profile.Name(), "./"+dir).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("go test ./%s -run %s: %w\n%s", dir, run, err, out)
	}
	f, err := os.Open(profile.Name())
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readProfile(bufio.NewScanner(f))
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
