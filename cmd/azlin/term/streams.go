// Package term is how azlin talks to people and to programs: streams, tables and structured output,
// queries over it, prompts and progress.
//
// The rule it obeys: standard output carries the result and nothing else; everything said on the way
// goes to standard error.
package term

import (
	"io"
	"os"

	xterm "golang.org/x/term"
)

// Streams are the three standard streams and what is known about their other ends.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer

	InTTY  bool // a person can answer a question
	OutTTY bool // a person reads the result
	ErrTTY bool // a person reads the talk
	Color  bool // both may carry colour
	ASCII  bool // the locale has no other characters
	Dumb   bool // the terminal cannot move its cursor
	Width  int  // columns of the terminal; 0: no limit
	Height int  // lines of the terminal; 0: not known
}

// System returns the streams of this process. Colour is off without a terminal, with noColor (NO_COLOR)
// and on a dumb terminal.
func System(noColor, ascii bool, terminal string) Streams {
	s := Streams{
		ASCII: ascii,
		In:    os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTTY:  xterm.IsTerminal(int(os.Stdin.Fd())),
		OutTTY: xterm.IsTerminal(int(os.Stdout.Fd())),
		ErrTTY: xterm.IsTerminal(int(os.Stderr.Fd())),
	}
	s.Dumb = terminal == "dumb"
	s.Color = s.OutTTY && !noColor && !s.Dumb
	if s.OutTTY {
		if w, h, err := xterm.GetSize(int(os.Stdout.Fd())); err == nil {
			s.Width, s.Height = w, h
		}
	}
	return s
}
