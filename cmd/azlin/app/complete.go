package app

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/errkind"
)

// Complete offers fixed values for a flag. Registering fails only for a flag that does not exist, which
// the tests of the command tree would show.
func Complete(cmd *cobra.Command, flag string, values []string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

func UnknownCommand(cmd *cobra.Command, name string) error {
	message := fmt.Sprintf("unknown command %q", name)
	if near := cmd.SuggestionsFor(name); len(near) > 0 {
		message += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return &errkind.Error{Kind: errkind.Invalid, Err: fmt.Errorf("%s", message), Next: cmd.CommandPath() + " --help"}
}

// ShowGroup is what a command that only holds others does by itself.
func ShowGroup(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return UnknownCommand(cmd, args[0])
	}
	return cmd.Help()
}
