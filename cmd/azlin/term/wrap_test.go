package term_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/azlin-dev/azlin/cmd/azlin/term"
)

func TestWrap(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text  string
		width int
		want  string
	}{
		"a short line":            {"one two", 20, "one two"},
		"a long line":             {"one two three", 7, "one two\nthree"},
		"lines are joined":        {"one\ntwo three", 20, "one two three"},
		"paragraphs stay":         {"one\n\ntwo", 20, "one\n\ntwo"},
		"indented lines stay":     {"see:\n\n    azlin list --all\n    azlin show\n\nand so on", 8, "see:\n\n    azlin list --all\n    azlin show\n\nand so\non"},
		"a word that is too long": {"a https://example.org/long b", 10, "a\nhttps://example.org/long\nb"},
		"wide letters":            {"日本 語語 x", 5, "日本\n語語\nx"},
		"nothing":                 {"", 10, ""},
	} {
		if got := term.Wrap(tc.text, tc.width); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

// FuzzWrap: no word is lost, none is cut, and a second time changes nothing.
func FuzzWrap(f *testing.F) {
	f.Add("one two three\n\n  four", 7)
	f.Add("", 0)
	f.Fuzz(func(t *testing.T, text string, width int) {
		if !utf8.ValidString(text) || width > 1000 {
			t.Skip("not a text that azlin writes")
		}
		got := term.Wrap(text, width)
		if strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(text), " ") {
			t.Errorf("%q became %q", text, got)
		}
		if again := term.Wrap(got, width); again != got {
			t.Errorf("%q became %q, then %q", text, got, again)
		}
	})
}
