package azlin_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const modulePath = "github.com/azlin-dev/azlin"

// levels is the table of contents of this repository, from the ground up. A package imports only
// packages of lower levels.
var levels = [][]string{
	{"errkind", "internal/atomicfile", "internal/damage", "internal/detach", "internal/keylock", "internal/money", "internal/near", "internal/owner", "internal/relay", "internal/tomledit"},
	{"batch"},
	{"local/config", "local/audit", "local/history", "local/names", "local/notify", "local/prereq", "local/progress"},
	{"azure/answer"},
	{"azure/pacing", "azure/transport"},
	{"azure"},
	{"azure/signin", "azure/permission", "azure/ensure", "azure/teardown", "azure/resourcegroup", "change"},
	{"vm/cloudinit", "remote/keypair", "remote/child"},
	{"remote/knownhosts"},
	{"remote", "cost", "vm/catalog", "vm/disk"},
	{"network"},
	{"vm", "bastion"},
	{"vm/provision"},
	{"reach", "remote/repository", "remote/terminal", "remote/tunnel", "remote/sshconfig"},
	{"health/logs"},
	{"launch", "health/doctor", "health/status", "upkeep/keys", "upkeep/cleanup", "upkeep/update", "upkeep/resize"},
	{"launch/clone", "launch/image", "launch/template", "upkeep/prune", "health/why", "health/detail"},
	{"."},
	{"cmd/azlin/term"},
	{"cmd/azlin/app"},
	{"cmd/azlin/complete", "cmd/azlin/connect", "cmd/azlin/route", "cmd/azlin/look", "cmd/azlin/offer", "cmd/azlin/remove", "cmd/azlin/setup", "cmd/azlin/emulate"},
	{"cmd/azlin/create"},
	{"cmd/azlin/manage"},
	{"cmd/azlin/cli"},
	{"cmd/azlin", "cmd/azlin/docgen", "cmd/azlin/release"},
}

// sameLevel lists the imports within a level that are meant, with the reason.
var sameLevel = map[[2]string]string{}

// pkg is one directory of Go files.
type pkg struct {
	files map[string]*ast.File // without tests
	tests map[string]*ast.File
}

// packages parses every Go file of the repository, keyed by directory.
func packages(t *testing.T) (map[string]*pkg, *token.FileSet) {
	t.Helper()
	found := map[string]*pkg{}
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bin") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		file, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(filepath.Dir(path))
		if found[dir] == nil {
			found[dir] = &pkg{files: map[string]*ast.File{}, tests: map[string]*ast.File{}}
		}
		if strings.HasSuffix(path, "_test.go") {
			found[dir].tests[path] = file
		} else {
			found[dir].files[path] = file
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found, fset
}

func ownImports(f *ast.File) []string {
	var own []string
	for _, imp := range f.Imports {
		path, err := strconv.Unquote(imp.Path.Value)
		if err != nil {
			continue // the parser accepted it
		}
		if path == modulePath {
			own = append(own, ".")
		} else if rest, ok := strings.CutPrefix(path, modulePath+"/"); ok {
			own = append(own, rest)
		}
	}
	return own
}

func TestImportsRunDownwards(t *testing.T) {
	t.Parallel()
	level := map[string]int{}
	for n, names := range levels {
		for _, name := range names {
			level[name] = n
		}
	}
	all, _ := packages(t)
	for dir, p := range all {
		if len(p.files) == 0 {
			continue
		}
		isEmulator := dir == "emulator" || strings.HasPrefix(dir, "emulator/")
		from, known := level[dir]
		if !known && !isEmulator && !strings.HasPrefix(dir, "test/") {
			t.Errorf("package %s has no level: add it to the table in architecture_test.go", dir)
			continue
		}
		for path, f := range p.files {
			for _, imp := range ownImports(f) {
				toEmulator := imp == "emulator" || strings.HasPrefix(imp, "emulator/")
				switch {
				case isEmulator && !toEmulator:
					t.Errorf("%s imports %s: the emulator must not share our code, or a mistake is right on both sides", path, imp)
				case isEmulator:
				case toEmulator && from < level["cmd/azlin/app"] && dir != "test/bench" && dir != "test/local" && !strings.HasPrefix(dir, "test/local/"): // what is measured, and what tests run on
					t.Errorf("%s imports %s: only the command starts the emulator", path, imp)
				case toEmulator, strings.HasPrefix(dir, "test/"): // it stands on top of everything
				case level[imp] > from, level[imp] == from && sameLevel[[2]string{dir, imp}] == "":
					t.Errorf("%s imports %s, which is not below it", path, imp)
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(level)) {
		if all[name] == nil {
			t.Errorf("the table names %s, which does not exist", name)
		}
	}
}

func TestOnePackageCommentEach(t *testing.T) {
	t.Parallel()
	all, _ := packages(t)
	for dir, p := range all {
		var with []string
		for path, f := range p.files {
			if f.Doc != nil {
				with = append(with, path)
			}
		}
		if len(p.files) > 0 && len(with) != 1 {
			t.Errorf("package %s: want one package comment, got %d %v", dir, len(with), with)
		}
	}
}

func TestNoInitAndNoExitBelowMain(t *testing.T) {
	t.Parallel()
	all, fset := packages(t)
	for dir, p := range all {
		for path, f := range p.files {
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.FuncDecl:
					if n.Name.Name == "init" && n.Recv == nil {
						t.Errorf("%s: init function", fset.Position(n.Pos()))
					}
				case *ast.SelectorExpr:
					x, ok := n.X.(*ast.Ident)
					if !ok || x.Name != "os" {
						return true
					}
					switch n.Sel.Name {
					case "Getenv", "LookupEnv", "Environ":
						if dir != "local/config" && !strings.HasPrefix(dir, "test/") && !strings.HasPrefix(path, "emulator/host/") {
							t.Errorf("%s: os.%s outside local/config", fset.Position(n.Pos()), n.Sel.Name)
						}
					case "Exit":
						if dir != "cmd/azlin" && dir != "cmd/azlin/docgen" && dir != "cmd/azlin/release" && !strings.HasPrefix(dir, "test/") && !strings.HasPrefix(path, "emulator/host/") {
							t.Errorf("%s: os.Exit below main", fset.Position(n.Pos()))
						}
					}
				}
				return true
			})
		}
	}
}

// TestHostKeysAreAlwaysVerified looks for the ways to switch the check off, in every file.
func TestHostKeysAreAlwaysVerified(t *testing.T) {
	t.Parallel()
	forbidden := []string{
		"StrictHostKeyChecking=" + "no", "Insecure" + "IgnoreHostKey", "UserKnownHostsFile=" + "/dev/null",
	}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "bin") {
			return filepath.SkipDir
		}
		if d.IsDir() {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, word := range forbidden {
			if strings.Contains(string(data), word) {
				t.Errorf("%s contains %s", path, word)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestEveryTestBinaryCanBeAHost checks the hook without which an emulated VM cannot start from a test
// binary: its agent is the same program, started again.
func TestEveryTestBinaryCanBeAHost(t *testing.T) {
	t.Parallel()
	all, _ := packages(t)
	for dir, p := range all {
		usesHosts, hasHook := false, false
		for _, f := range p.tests {
			for _, imp := range ownImports(f) {
				usesHosts = usesHosts || imp == "emulator/host" || imp == "cmd/azlin/cli"
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
						x, _ := sel.X.(*ast.Ident)
						hasHook = hasHook || x != nil && (x.Name == "emulator" && sel.Sel.Name == "HostMain" || x.Name == "host" && sel.Sel.Name == "Main")
					}
				}
				return true
			})
		}
		if usesHosts && !hasHook {
			t.Errorf("the tests of %s can start emulated VMs, but no TestMain calls emulator.HostMain", dir)
		}
	}
}
