package cli

import "github.com/spf13/cobra"

// lookCommands are the commands of this heading, on what all commands share.
type lookCommands struct{ *app }

// lookTree returns the commands in the order in which --help lists them.
func lookTree(a *app) []*cobra.Command {
	c := lookCommands{a}
	return []*cobra.Command{newListCommand(c), newShowCommand(c), newLogsCommand(c), newStatusCommand(c), newWhyCommand(c)}
}
