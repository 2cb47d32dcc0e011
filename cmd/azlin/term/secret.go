package term

import (
	"context"
	"fmt"
	"os"
	"strings"

	xterm "golang.org/x/term"

	"github.com/azlin-dev/azlin/errkind"
)

// Secret asks for a line on standard error that is not shown while it is typed. Without a terminal it is
// an error that says instead where to give it.
func (s Streams) Secret(ctx context.Context, question, instead string) (string, error) {
	file, ok := s.In.(*os.File)
	if !s.InTTY || !ok {
		return "", errkind.New(errkind.Invalid, "%s: there is no terminal to ask on: give %s", question, instead)
	}
	if _, err := fmt.Fprintf(s.Err, "%s (not shown): ", question); err != nil {
		return "", err
	}
	state, err := xterm.GetState(int(file.Fd()))
	if err != nil {
		return "", err
	}
	type result struct {
		line []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		line, err := xterm.ReadPassword(int(file.Fd()))
		done <- result{line, err}
	}()
	var r result
	select {
	case <-ctx.Done():
		// The reader cannot be interrupted, but the terminal must show again what is typed into the shell.
		_ = xterm.Restore(int(file.Fd()), state) // the interruption is what is reported
		r.err = context.Cause(ctx)
	case r = <-done:
	}
	_, _ = fmt.Fprintln(s.Err) // the newline that was typed was not shown either
	return strings.TrimSpace(string(r.line)), r.err
}
