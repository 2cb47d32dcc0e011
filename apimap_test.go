package azlin_test

import (
	"go/ast"
	"os"
	"path"
	"strings"
	"testing"
)

// mapRow is one line of docs/api-map.md: a symbol of the reference, what serves it, what shows it.
type mapRow struct {
	reference, symbol, test string
}

// readAPIMap returns the rows of the table and the list of what is not built yet.
func readAPIMap(t *testing.T) (rows []mapRow, missing []string) {
	t.Helper()
	data, err := os.ReadFile("docs/api-map.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, found := strings.Cut(string(data), "\n## Not built yet\n")
	if !found {
		t.Fatal("docs/api-map.md has no section 'Not built yet'")
	}
	for line := range strings.Lines(string(data)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 5 || !strings.Contains(cells[1], "`") {
			continue
		}
		clean := func(s string) string { return strings.Trim(strings.TrimSpace(s), "`") }
		rows = append(rows, mapRow{clean(cells[1]), clean(cells[2]), clean(cells[3])})
	}
	for line := range strings.Lines(list) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "- "); ok {
			missing = append(missing, strings.Trim(name, "`"))
		}
	}
	return rows, missing
}

// TestAPIMapIsComplete holds the map and its list against all symbols of the reference.
func TestAPIMapIsComplete(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("docs/reference-symbols.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		want[strings.TrimSpace(line)] = true
	}
	rows, missing := readAPIMap(t)
	seen := map[string]int{}
	for _, r := range rows {
		seen[r.reference]++
	}
	for _, m := range missing {
		seen[m]++
	}
	for symbol := range want {
		if seen[symbol] == 0 {
			t.Errorf("%s is neither in the map nor in the list of what is not built yet", symbol)
		}
	}
	for symbol, n := range seen {
		if !want[symbol] {
			t.Errorf("%s is in the map but not in the reference", symbol)
		}
		if n > 1 {
			t.Errorf("%s stands in the map %d times", symbol, n)
		}
	}
}

// goSymbols collects "pkg.Name", "pkg.Type.Method" and "pkg.Type.Field" of every exported symbol, and
// the names of all tests and examples as "pkg.TestX".
func goSymbols(t *testing.T) (symbols, tests map[string]bool) {
	t.Helper()
	symbols, tests = map[string]bool{}, map[string]bool{}
	all, _ := packages(t)
	for dir, p := range all {
		name := path.Base(dir)
		if dir == "." {
			name = "azlin"
		}
		for _, f := range p.files {
			for _, d := range f.Decls {
				addSymbols(symbols, name, d)
			}
		}
		for _, f := range p.tests {
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
					for _, prefix := range []string{"Test", "Example", "Fuzz"} {
						if strings.HasPrefix(fn.Name.Name, prefix) {
							tests[name+"."+fn.Name.Name] = true
						}
					}
				}
			}
		}
	}
	scripts, err := os.ReadDir("cmd/azlin/cli/testdata/script")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scripts {
		tests["script/"+strings.TrimSuffix(s.Name(), ".txtar")] = true
	}
	return symbols, tests
}

func addSymbols(symbols map[string]bool, pkg string, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			symbols[pkg+"."+d.Name.Name] = true
			return
		}
		symbols[pkg+"."+receiver(d.Recv.List[0].Type)+"."+d.Name.Name] = true
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				symbols[pkg+"."+spec.Name.Name] = true
				if s, ok := spec.Type.(*ast.StructType); ok {
					for _, field := range s.Fields.List {
						for _, n := range field.Names {
							symbols[pkg+"."+spec.Name.Name+"."+n.Name] = true
						}
					}
				}
			case *ast.ValueSpec:
				for _, n := range spec.Names {
					symbols[pkg+"."+n.Name] = true
				}
			}
		}
	}
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

// TestAPIMapNamesExist checks that what serves a symbol, and what shows it, is there. A row of a module
// names a package, written "package vm".
func TestAPIMapNamesExist(t *testing.T) {
	t.Parallel()
	rows, _ := readAPIMap(t)
	if len(rows) == 0 {
		t.Fatal("the map is empty")
	}
	symbols, tests := goSymbols(t)
	all, _ := packages(t)
	for _, r := range rows {
		if pkg, ok := strings.CutPrefix(r.symbol, "package "); ok {
			if all[pkg] == nil {
				t.Errorf("%s: there is no package %s", r.reference, pkg)
			}
		} else if !symbols[r.symbol] {
			t.Errorf("%s: there is no %s", r.reference, r.symbol)
		}
		for name := range strings.SplitSeq(r.test, ", ") {
			if !tests[name] {
				t.Errorf("%s: there is no test %s", r.reference, name)
			}
		}
	}
}
