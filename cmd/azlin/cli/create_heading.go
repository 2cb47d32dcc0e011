package cli

import "github.com/spf13/cobra"

// createCommands are the commands of this heading, on what all commands share.
type createCommands struct{ *app }

// createTree returns the commands in the order in which --help lists them.
func createTree(a *app) []*cobra.Command {
	c := createCommands{a}
	return []*cobra.Command{newNewCommand(c), newAdoptCommand(c), newTemplateCommand(c), newCloneCommand(c), newImageCommand(c)}
}
