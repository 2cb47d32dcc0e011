package setup

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/errkind"
)

func newContextShellCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:         "shell NAME",
		Short:       "Start a shell with an active context",
		Long:        `Starts $SHELL with AZLIN_CONTEXT set, so the context is active in that shell only. azlin exits with the shell's exit code.`,
		Example:     "  azlin context shell prod",
		Args:        app.Exactly(1, "one context"),
		Annotations: map[string]string{app.PassesExitCode: "yes"},
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

func (a Commands) shell(ctx context.Context, name string) error {
	shell := a.Env.Shell
	if shell == "" {
		shell = "/bin/sh"
	}
	path, err := exec.LookPath(shell)
	if err != nil {
		return errkind.New(errkind.Prerequisite, "the shell %s is not there: set SHELL", shell)
	}
	environ := slices.DeleteFunc(slices.Clone(a.Environ), func(kv string) bool { return strings.HasPrefix(kv, "AZLIN_CONTEXT=") })
	if a.Streams.InTTY {
		a.Say("context " + name + "; leave it with exit")
	}
	err = a.RunInteractive(ctx, append(environ, "AZLIN_CONTEXT="+name), path)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.Exited():
		return app.RemoteExit(exit.ExitCode())
	case err != nil:
		return fmt.Errorf("the shell %s: %w", shell, err)
	}
	return nil
}
