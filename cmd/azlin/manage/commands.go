// Package manage has the commands that change VMs: power, size, tags, keys, software; and operations, which resumes what
// was cut off.
package manage

import (
	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
)

// Commands are the commands of this heading, on what all commands share.
type Commands struct{ *app.App }

// Tree returns the commands in the order in which --help lists them.
func Tree(a *app.App) []*cobra.Command {
	c := Commands{a}
	return []*cobra.Command{newStartCommand(c), newStopCommand(c), newRestartCommand(c), newTagCommand(c), newKeysCommand(c), newUpdateCommand(c), newOSUpdateCommand(c), newResizeCommand(c), newOperationsCommand(c)}
}
