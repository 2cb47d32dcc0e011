package cli

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/errkind"
)

func newContextShellCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "shell NAME",
		Short: "Start a shell in which a context is active",
		Long: `Starts $SHELL with AZLIN_CONTEXT set, so that everything in it works in that context and nothing elsewhere
changes. azlin ends with the shell's exit code.`,
		Example:           "  azlin context shell prod",
		Args:              exactly(1, "one context"),
		Annotations:       map[string]string{passesExitCode: "yes"},
		ValidArgsFunction: a.completeContexts,
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := a.contextFile().Load()
			if err != nil {
				return err
			}
			if _, err := all.Get(args[0]); err != nil {
				return err
			}
			return a.shell(cmd.Context(), args[0])
		},
	}
}

func (a *app) shell(ctx context.Context, name string) error {
	shell := a.env.Shell
	if shell == "" {
		shell = "/bin/sh"
	}
	path, err := exec.LookPath(shell)
	if err != nil {
		return errkind.New(errkind.Prerequisite, "the shell %s is not there: set SHELL", shell)
	}
	environ := slices.DeleteFunc(slices.Clone(a.environ), func(kv string) bool { return strings.HasPrefix(kv, "AZLIN_CONTEXT=") })
	// The shell, and not the context of the command, decides about Ctrl-C: it is for what runs in it.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), path)
	cmd.Env = append(environ, "AZLIN_CONTEXT="+name)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = a.streams.In, a.streams.Out, a.streams.Err
	if a.streams.InTTY {
		a.say("context " + name + "; leave it with exit")
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return errkind.New(errkind.Prerequisite, "start %s: %w", shell, err)
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
			var exit *exec.ExitError
			switch {
			case err == nil:
				return nil
			case errors.As(err, &exit) && exit.Exited():
				return remoteExit(exit.ExitCode())
			}
			return err
		}
	}
}
