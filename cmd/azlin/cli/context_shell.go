package cli

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/errkind"
)

func newContextShellCommand(a setupCommands) *cobra.Command {
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

func (a setupCommands) shell(ctx context.Context, name string) error {
	shell := a.env.Shell
	if shell == "" {
		shell = "/bin/sh"
	}
	path, err := exec.LookPath(shell)
	if err != nil {
		return errkind.New(errkind.Prerequisite, "the shell %s is not there: set SHELL", shell)
	}
	environ := slices.DeleteFunc(slices.Clone(a.environ), func(kv string) bool { return strings.HasPrefix(kv, "AZLIN_CONTEXT=") })
	if a.streams.InTTY {
		a.say("context " + name + "; leave it with exit")
	}
	err = a.runInteractive(ctx, append(environ, "AZLIN_CONTEXT="+name), path)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.Exited():
		return remoteExit(exit.ExitCode())
	case err != nil:
		return fmt.Errorf("the shell %s: %w", shell, err)
	}
	return nil
}
