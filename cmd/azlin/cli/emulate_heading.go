package cli

import "github.com/spf13/cobra"

// emulateCommands are the commands of this heading, on what all commands share.
type emulateCommands struct{ *app }

// emulateTree returns the commands in the order in which --help lists them.
func emulateTree(a *app, main mainFunc) []*cobra.Command {
	c := emulateCommands{a}
	return []*cobra.Command{newEmulatorCommand(c), newSelftestCommand(c, main)}
}
