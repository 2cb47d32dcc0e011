package azlin_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"testing"
)

// TestEnvironmentIsDocumented holds docs/environment.md against the code, both ways.
func TestEnvironmentIsDocumented(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "local/config/environment.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`^[A-Z][A-Z0-9_]+$`)
	read := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil && name.MatchString(s) {
				read[s] = true
			}
		}
		return true
	})
	data, err := os.ReadFile("docs/environment.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, m := range regexp.MustCompile("`([A-Z][A-Z0-9_]+)`").FindAllStringSubmatch(string(data), -1) {
		documented[m[1]] = true
	}
	for v := range read {
		if !documented[v] {
			t.Errorf("%s is read but not in docs/environment.md", v)
		}
	}
	elsewhere := map[string]bool{"HTTPS_PROXY": true, "NO_PROXY": true} // by Go's HTTP client
	for v := range documented {
		if !read[v] && !elsewhere[v] {
			t.Errorf("docs/environment.md names %s, which nothing reads", v)
		}
	}
}
