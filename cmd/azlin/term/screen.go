package term

import (
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-runewidth"
)

// Screen is the whole terminal, drawn in place. What it showed last stays behind when it is closed.
type Screen struct {
	out           io.Writer
	width, height int
	head, body    string
	cut           string
}

// Screen is this terminal's; nil: the result does not go to one that can be drawn on.
func (s Streams) Screen() *Screen {
	if !s.OutTTY || s.Dumb {
		return nil
	}
	return &Screen{out: s.Out, width: s.Width, height: s.Height, cut: s.cut()}
}

// Open turns to the alternate screen and hides the cursor.
func (s *Screen) Open() { fmt.Fprint(s.out, "\x1b[?1049h\x1b[H\x1b[2J\x1b[?25l") } // nowhere to report a broken terminal to

// Close goes back, and leaves what was drawn last below the command line.
func (s *Screen) Close() {
	fmt.Fprint(s.out, "\x1b[?25h\x1b[?1049l") // as above
	if s.body != "" {
		fmt.Fprint(s.out, s.head+"\n"+s.body) // as above
	}
}

// Draw shows a line and a text below it, as far as there is room; keep: only the line is new.
func (s *Screen) Draw(head, body string, keep bool) {
	if s.width > 0 {
		head = runewidth.Truncate(head, s.width, s.cut)
	}
	s.head = head
	if !keep {
		s.body = body
	}
	lines := strings.Split(strings.TrimSuffix(s.body, "\n"), "\n")
	if room := s.height - 2; s.height > 3 && len(lines) > room {
		more := len(lines) - room + 1
		lines = append(lines[:room-1:room-1], fmt.Sprintf("(%d more lines)", more))
	}
	var b strings.Builder
	b.WriteString("\x1b[H")
	for _, line := range append([]string{head}, lines...) {
		b.WriteString(line + "\x1b[K\r\n")
	}
	b.WriteString("\x1b[J")
	fmt.Fprint(s.out, b.String()) // as above
}
