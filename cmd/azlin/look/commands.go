// Package look has the commands that show VMs and how they are: list, show, status, logs, why. They change nothing.
package look

import (
	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
)

// Commands are the commands of this heading, on what all commands share.
type Commands struct{ *app.App }

// Tree returns the commands in the order in which --help lists them.
func Tree(a *app.App) []*cobra.Command {
	c := Commands{a}
	return []*cobra.Command{newListCommand(c), newShowCommand(c), newLogsCommand(c), newStatusCommand(c), newWhyCommand(c)}
}
