package app

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// RunInteractive runs a program on our terminal, as a shell or an editor, until it ends. Ctrl-C is for what
// runs there and does not end us; a request to terminate is passed on.
func (a *App) RunInteractive(ctx context.Context, environ []string, path string, args ...string) error {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), path, args...)
	cmd.Env = environ
	cmd.Stdin, cmd.Stdout, cmd.Stderr = a.Streams.In, a.Streams.Out, a.Streams.Err
	defer a.waiting.Quiet()()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			if s == syscall.SIGTERM {
				_ = cmd.Process.Signal(s) // it may have ended already
			}
		case err := <-done:
			return err
		}
	}
}
