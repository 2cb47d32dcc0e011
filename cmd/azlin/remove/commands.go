// Package remove has the commands that delete: kill, killall, destroy, prune and cleanup.
package remove

import (
	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
)

// Commands are the commands of this heading, on what all commands share.
type Commands struct{ *app.App }

// Tree returns the commands in the order in which --help lists them.
func Tree(a *app.App) []*cobra.Command {
	c := Commands{a}
	return []*cobra.Command{newKillCommand(c), app.OneGroup(newKillallCommand(c)), app.OneGroup(newDestroyCommand(c)), newCleanupCommand(c), newPruneCommand(c)}
}
