package terminal

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
)

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// script is the script for a window's shell. Every word of the command and its environment is quoted.
func (c Command) script(title string) (string, error) {
	var b strings.Builder
	if title != "" {
		fmt.Fprintf(&b, "printf '\\033]2;%%s\\007' %s\n", remote.Quote(title))
	}
	for _, v := range c.Env {
		name, value, ok := strings.Cut(v, "=")
		if !ok || !variable.MatchString(name) {
			return "", errkind.New(errkind.Invalid, "open a window: %q is no name of an environment variable", name)
		}
		fmt.Fprintf(&b, "export %s=%s\n", name, remote.Quote(value))
	}
	if c.Dir != "" {
		fmt.Fprintf(&b, "cd -- %s || exit\n", remote.Quote(c.Dir))
	}
	words := make([]string, len(c.Args))
	for n, w := range c.Args {
		words[n] = word(w)
	}
	line := strings.Join(words, " ")
	if c.HoldOn == 0 {
		fmt.Fprintf(&b, "exec %s\n", line)
	} else {
		fmt.Fprintf(&b, "%s\ncode=$?\nif [ $code -eq %d ]; then\nprintf '\\n%%s' 'Press Enter to close this window. '\nread -r _\nfi\nexit $code\n", line, c.HoldOn)
	}
	if strings.ContainsRune(b.String(), 0) {
		return "", errkind.New(errkind.Invalid, "open a window: the command holds a NUL")
	}
	return b.String(), nil
}

// word quotes words that Quote leaves unquoted: here an assignment or a shell keyword is an argument.
func word(s string) string {
	if q := remote.Quote(s); q != s {
		return q
	}
	return "'" + s + "'"
}
