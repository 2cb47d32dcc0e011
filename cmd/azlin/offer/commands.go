// Package offer has the commands that show what Azure offers: sizes, regions, images, quota.
package offer

import (
	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
)

// Commands are the commands of this heading, on what all commands share.
type Commands struct{ *app.App }

// Tree returns the commands in the order in which --help lists them.
func Tree(a *app.App) []*cobra.Command {
	c := Commands{a}
	return []*cobra.Command{newSizesCommand(c), newRegionsCommand(c), newImagesCommand(c), newQuotaCommand(c)}
}
