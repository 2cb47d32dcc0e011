package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm"
)

// Watching is whether a command shows its result again and again.
type Watching struct {
	On       bool
	interval time.Duration
}

// Add adds --watch and --interval to a command.
func (w *Watching) Add(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&w.On, "watch", "w", false, "refresh until Ctrl-C")
	cmd.Flags().DurationVar(&w.interval, "interval", 5*time.Second, "with --watch: time between refreshes")
}

// Check refuses what makes no sense.
func (w Watching) Check(cmd *cobra.Command) error {
	switch {
	case w.interval < time.Second:
		return Usage(cmd, "--interval %s: give a second or more", w.interval)
	case cmd.Flags().Changed("interval") && !w.On:
		return Usage(cmd, "--interval needs --watch")
	}
	return nil
}

// Watch shows what print prints, until it is interrupted if that is wanted. A look that fails is reported, and the next one
// follows.
func (a *App) Watch(ctx context.Context, w Watching, print func(context.Context) error) error {
	if !w.On {
		return print(ctx)
	}
	screen := a.Streams.Screen()
	onScreen := screen != nil && (a.Output.Format == term.Table || a.Output.Format == term.Wide) && !a.Output.Structured()
	if onScreen {
		defer a.waiting.Quiet()()
		screen.Open()
		defer screen.Close()
	}
	for first := true; ; first = false {
		look := print
		if onScreen {
			look = func(ctx context.Context) error { return a.drawn(ctx, screen, print) }
		}
		err := look(ctx)
		switch {
		case ctx.Err() != nil:
			return nil // that is how watching ends
		case err != nil && (first || errors.Is(err, vm.ErrManager) && errkind.Of(err) == errkind.NotFound):
			return err
		case err != nil && !onScreen:
			a.Say("warning: " + err.Error())
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(w.interval):
		}
	}
}

// drawn draws what print prints in place of what the screen shows. A failure stands above what was seen before.
func (a *App) drawn(ctx context.Context, screen *term.Screen, print func(context.Context) error) error {
	var drawing bytes.Buffer
	shown := a.Output.Streams
	a.Output.Streams.Out, a.Output.Streams.Err = &drawing, &drawing
	err := print(ctx)
	a.Output.Streams = shown
	if ctx.Err() != nil {
		return err
	}
	head := time.Now().Format("15:04:05")
	if err != nil {
		head = fmt.Sprintf("%s  warning: %s", head, term.Clean(err.Error()))
	}
	screen.Draw(head, drawing.String(), err != nil)
	return err
}
