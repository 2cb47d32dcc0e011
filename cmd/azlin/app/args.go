package app

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/errkind"
)

// Exactly requires n arguments; what names them.
func Exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		if len(args) < n {
			return Usage(cmd, "missing argument: this command takes %s", what)
		}
		return Usage(cmd, "too many arguments: this command takes %s, and %d were given", what, len(args))
	}
}

// AtLeastOne requires one argument or more; what names them.
func AtLeastOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return nil
		}
		return Usage(cmd, "missing argument: this command takes %s", what)
	}
}

// Usage is the error for a command line that is wrong.
func Usage(cmd *cobra.Command, format string, args ...any) error {
	return &errkind.Error{Kind: errkind.Invalid, Op: cmd.CommandPath(), Err: fmt.Errorf(format, args...), Next: Next(cmd.CommandPath(), "--help")}
}
