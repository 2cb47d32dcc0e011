package app

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/near"
)

// Complete offers fixed values for a flag. Registering fails only for a flag that does not exist, which
// the tests of the command tree would show.
func Complete(cmd *cobra.Command, flag string, values []string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// UnknownCommand is the error for a command that there is not, with those that may have been meant.
func UnknownCommand(cmd *cobra.Command, name string) error {
	var known []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			known = append(append(known, c.Name()), c.Aliases...)
		}
	}
	return &errkind.Error{
		Kind: errkind.Invalid, Err: fmt.Errorf("unknown command %q%s", name, near.Suggestion(name, known)), Next: Next(cmd.CommandPath(), "--help"),
	}
}

// ShowGroup is what a command that only holds others does by itself.
func ShowGroup(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return UnknownCommand(cmd, args[0])
	}
	return cmd.Help()
}
