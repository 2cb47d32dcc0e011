package cli

import "github.com/spf13/cobra"

// manageCommands are the commands of this heading, on what all commands share.
type manageCommands struct{ *app }

// manageTree returns the commands in the order in which --help lists them.
func manageTree(a *app) []*cobra.Command {
	c := manageCommands{a}
	return []*cobra.Command{newStartCommand(c), newStopCommand(c), newRestartCommand(c), newTagCommand(c), newKeysCommand(c), newUpdateCommand(c), newOSUpdateCommand(c), newResizeCommand(c), newOperationsCommand(c)}
}
