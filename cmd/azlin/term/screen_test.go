package term_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/cmd/azlin/term"
)

// TestScreenFits: what does not fit is counted, the head stays in sight, and the last picture is left behind.
func TestScreenFits(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if (term.Streams{Out: &out, OutTTY: true, Dumb: true}).Screen() != nil || (term.Streams{Out: &out}).Screen() != nil {
		t.Error("a terminal that cannot be drawn on has a screen")
	}
	s := term.Streams{Out: &out, OutTTY: true, Width: 20, Height: 6}.Screen()
	s.Open()
	out.Reset()
	s.Draw("12:00:00", "NAME\na\nb\nc\nd\ne\n", false)
	picture := out.String()
	if n := strings.Count(picture, "\n"); n > 5 {
		t.Errorf("%d lines on a terminal of six: %q", n, picture)
	}
	for _, want := range []string{"\x1b[H12:00:00\x1b[K\r\n", "(3 more lines)"} {
		if !strings.Contains(picture, want) {
			t.Errorf("no %q in %q", want, picture)
		}
	}
	if strings.Contains(picture, "\x1b[2J") {
		t.Error("the screen is empty between two pictures")
	}
	out.Reset()
	s.Draw("12:00:05  warning: no answer", "", true)
	if got := out.String(); !strings.Contains(got, "warning: no answer") && !strings.Contains(got, "NAME") {
		t.Errorf("after a failure: %q", got)
	}
	out.Reset()
	s.Close()
	if got := out.String(); !strings.Contains(got, "NAME\na\nb\nc\nd\ne\n") {
		t.Errorf("closed: %q", got)
	}
}
