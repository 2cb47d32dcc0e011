package cli

import "github.com/spf13/cobra"

// offerCommands are the commands of this heading, on what all commands share.
type offerCommands struct{ *app }

// offerTree returns the commands in the order in which --help lists them.
func offerTree(a *app) []*cobra.Command {
	c := offerCommands{a}
	return []*cobra.Command{newSizesCommand(c), newRegionsCommand(c), newImagesCommand(c), newQuotaCommand(c)}
}
