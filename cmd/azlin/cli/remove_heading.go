package cli

import "github.com/spf13/cobra"

// removeCommands are the commands of this heading, on what all commands share.
type removeCommands struct{ *app }

// removeTree returns the commands in the order in which --help lists them.
func removeTree(a *app) []*cobra.Command {
	c := removeCommands{a}
	return []*cobra.Command{newKillCommand(c), newKillallCommand(c), newDestroyCommand(c), newCleanupCommand(c), newPruneCommand(c)}
}
