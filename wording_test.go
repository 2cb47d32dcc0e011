package azlin_test

import (
	"go/ast"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// flagsOfOtherPrograms are the files below cmd/ that give other programs flags which azlin has, too.
var flagsOfOtherPrograms = map[string]string{
	"health/logs/cloudinit.go":       "cloud-init's own",
	"health/logs/logs.go":            "journalctl's own",
	"local/prereq/prereq.go":         "az",
	"remote/terminal/commandline.go": "terminal programs",
	"remote/repository/check.go":     "git",
	"remote/repository/clone.go":     "git",
}

// TestOnlyTheCommandNamesCommands: what is below cmd/ does not know that there is a command, so that no text there names one
// of its commands or flags. An error suggests an errkind.Step, which cmd/azlin/app words.
func TestOnlyTheCommandNamesCommands(t *testing.T) {
	t.Parallel()
	all, _ := packages(t)
	commands, flags := map[string]bool{}, map[string]bool{}
	for dir, p := range all {
		if !strings.HasPrefix(dir, "cmd/azlin/") {
			continue
		}
		for _, f := range p.files {
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.KeyValueExpr: // Use: "kill VM..."
					if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Use" {
						if name, _, _ := strings.Cut(literal(n.Value), " "); name != "" && name != "azlin" {
							commands[name] = true
						}
					}
				case *ast.CallExpr: // cmd.Flags().StringVar(&v, "name", …)
					if f, ok := n.Fun.(*ast.SelectorExpr); ok && strings.Contains(f.Sel.Name, "Var") && len(n.Args) > 2 {
						if name := literal(n.Args[1]); name != "" {
							flags[name] = true
						}
					}
				}
				return true
			})
		}
	}
	if len(commands) < 50 || len(flags) < 80 || !commands["kill"] || !flags["resource-group"] {
		t.Fatalf("the tree was not read: %d commands, %d flags", len(commands), len(flags))
	}
	// The emulator is a program of its own, and internal/ is used by both.
	names := regexp.MustCompile(`\bazlin (` + strings.Join(slices.Sorted(maps.Keys(commands)), "|") + `)\b`)
	ours := regexp.MustCompile(`(^|[^-\w])--(` + strings.Join(slices.Sorted(maps.Keys(flags)), "|") + `)\b`)
	for dir, p := range all {
		if subject(dir) == "" && dir != "." && dir != "errkind" {
			continue
		}
		for path, f := range p.files {
			ast.Inspect(f, func(n ast.Node) bool {
				lit, ok := n.(*ast.BasicLit)
				if !ok || lit.Kind != token.STRING {
					return true
				}
				text := literal(lit)
				if m := names.FindString(text); m != "" {
					t.Errorf("%s names the command %q: %s", path, m, lit.Value)
				}
				if m := ours.FindString(text); m != "" && flagsOfOtherPrograms[path] == "" {
					t.Errorf("%s names the flag %q: %s", path, strings.TrimSpace(m), lit.Value)
				}
				return true
			})
		}
	}
}

// literal is the value of a string literal; empty for anything else.
func literal(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return ""
	}
	s, err := strconv.Unquote(lit.Value)
	if err != nil {
		return ""
	}
	return s
}
