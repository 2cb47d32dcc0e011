//go:build unix

package terminal

import (
	"os/exec"
	"strings"
	"testing"
)

// FuzzScript has a real shell run a command with two arguments, which must arrive as they are.
func FuzzScript(f *testing.F) {
	for _, s := range []string{"", "a b", "it's", `\`, "$x", "`x`", "\n", "A=b", "if", "!", "-n", "\x1b", "ü", "\xff", "'\\''"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		script, err := Command{Args: []string{"printf", "%s\\0", a, b}, Env: []string{"V=" + a}}.script(plain(b))
		if err != nil {
			if !strings.ContainsRune(a+b, 0) {
				t.Error(err)
			}
			return
		}
		cmd := exec.CommandContext(t.Context(), shell)
		cmd.Stdin = strings.NewReader(script)
		out, err := cmd.Output()
		want := a + "\x00" + b + "\x00"
		if err != nil || !strings.HasSuffix(string(out), want) {
			t.Errorf("%v: %q, want %q", err, out, want)
		}
	})
}

// FuzzAppleQuote reads what is written back as AppleScript does: a backslash makes of the character after it itself.
func FuzzAppleQuote(f *testing.F) {
	for _, s := range []string{"", `"`, `\`, `\"`, `" & (do shell script "id") & "`, "a\nb", "\u2028", "ü", "\xff\""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q := appleQuote(s)
		var b strings.Builder
		end := -1
		for i := 1; i < len(q) && end < 0; i++ {
			switch {
			case q[i] == '\\' && i+1 < len(q):
				i++
				b.WriteByte(q[i])
			case q[i] == '"':
				end = i
			default:
				b.WriteByte(q[i])
			}
		}
		if q[0] != '"' || end != len(q)-1 || b.String() != plain(s) || strings.ContainsAny(q, "\n\r\u2028\u2029") {
			t.Errorf("%q is written %s", s, q)
		}
	})
}

// FuzzTitles: no title becomes an argument of its own, an option, or something that its terminal makes a command of.
func FuzzTitles(f *testing.F) {
	f.Add("-e sh", "a;b")
	f.Fuzz(func(t *testing.T, a, b string) {
		l := Launcher{Environ: []string{"WSL_DISTRO_NAME=Ubuntu"}}
		for _, app := range []App{ITerm, AppleTerminal, GNOMETerminal, Konsole, XTerm, Alacritty, Kitty, WezTerm, WindowsTerminal, Tmux} {
			one, two := l.arguments(app, "/tmp/p", Config{Title: "x" + a}), l.arguments(app, "/tmp/p", Config{Title: "x" + b})
			if len(one) != len(two) {
				t.Errorf("%s: %q and %q", app, one, two)
			}
			if last := one[len(one)-1]; app != ITerm && app != AppleTerminal && last != "/tmp/p" {
				t.Errorf("%s: %q", app, one)
			}
		}
	})
}
