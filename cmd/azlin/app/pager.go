package app

import (
	"context"
	"os/exec"
	"slices"
	"strings"

	"github.com/google/shlex"
)

// Page shows text in the pager; false: it was not shown.
func (a *App) Page(text string) bool {
	page := a.pager()
	return page != nil && page(text)
}

// pager is what shows text that is longer than the terminal; nil: nothing does, or nobody looks.
func (a *App) pager() func(text string) bool {
	if a.Flags.noPager || !a.Streams.OutTTY || !a.Streams.InTTY || a.Streams.Dumb || a.Env.Pager == "" {
		return nil
	}
	return func(text string) bool {
		if a.Streams.Height == 0 || strings.Count(text, "\n") < a.Streams.Height {
			return false
		}
		words, err := shlex.Split(a.Env.Pager)
		if err != nil || len(words) == 0 {
			return false
		}
		path, err := exec.LookPath(words[0])
		if err != nil {
			return false
		}
		defer a.waiting.Quiet()()
		// Ctrl-C is the pager's.
		cmd := exec.CommandContext(context.Background(), path, words[1:]...) //nolint:gosec // the person's own choice
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(text), a.Streams.Out, a.Streams.Err
		cmd.Env = a.Environ
		if !slices.ContainsFunc(a.Environ, func(v string) bool { return strings.HasPrefix(v, "LESS=") }) {
			cmd.Env = append(slices.Clone(a.Environ), "LESS=FRX") // colours, and the text stays on the screen
		}
		if cmd.Start() != nil {
			return false
		}
		_ = cmd.Wait() // it may have been left before its end
		return true
	}
}
