// Package create has the commands that create VMs and what they are created from: new, clone, image, template,
// and adopt, which lets azlin manage a VM that exists.
package create

import (
	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
)

// Commands are the commands of this heading, on what all commands share.
type Commands struct{ *app.App }

// Tree returns the commands in the order in which --help lists them.
func Tree(a *app.App) []*cobra.Command {
	c := Commands{a}
	return []*cobra.Command{app.OneGroup(newNewCommand(c)), newAdoptCommand(c), newTemplateCommand(c), newCloneCommand(c), newImageCommand(c)}
}
