package term

import (
	"io"
	"strings"
	"unicode/utf8"
)

// Text is w for text that people read: where the locale has no other characters than ASCII's, it gets no others.
func (s Streams) Text(w io.Writer) io.Writer {
	if !s.ASCII {
		return w
	}
	return asciiWriter{w}
}

type asciiWriter struct{ w io.Writer }

// Write takes whole texts: a character that is cut in two is lost.
func (a asciiWriter) Write(p []byte) (int, error) {
	if _, err := io.WriteString(a.w, ascii(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

func ascii(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r < utf8.RuneSelf:
			b.WriteRune(r)
		case r == '…':
			b.WriteString("...")
		case r == '→':
			b.WriteString("->")
		case r == '–', r == '·':
			b.WriteByte('-')
		case r == '✓':
			b.WriteByte('+')
		case r == '✗':
			b.WriteByte('x')
		default:
			b.WriteByte('?')
		}
	}
	return b.String()
}

// cut ends what was cut off, in one column.
func (s Streams) cut() string {
	if s.ASCII {
		return "~"
	}
	return "…"
}

func (s Streams) spinner() []rune {
	if s.ASCII {
		return []rune(`|/-\`)
	}
	return []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
}
