package app

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/errkind"
)

// Exactly wants n arguments and says which when there are others.
func Exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		return Usage(cmd, "want %s, got %d arguments", what, len(args))
	}
}

// AtLeastOne wants one argument or more.
func AtLeastOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return nil
		}
		return Usage(cmd, "want %s", what)
	}
}

// Usage is the error for a command line that is wrong.
func Usage(cmd *cobra.Command, format string, args ...any) error {
	return &errkind.Error{Kind: errkind.Invalid, Op: cmd.CommandPath(), Err: fmt.Errorf(format, args...), Next: cmd.CommandPath() + " --help"}
}
