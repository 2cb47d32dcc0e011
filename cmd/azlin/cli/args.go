package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/errkind"
)

// exactly wants n arguments and says which when there are others.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		return usage(cmd, "want %s, got %d arguments", what, len(args))
	}
}

// atLeastOne wants one argument or more.
func atLeastOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return nil
		}
		return usage(cmd, "want %s", what)
	}
}

func usage(cmd *cobra.Command, format string, args ...any) error {
	return &errkind.Error{Kind: errkind.Invalid, Op: cmd.CommandPath(), Err: fmt.Errorf(format, args...), Next: cmd.CommandPath() + " --help"}
}
