// Package setup has the commands that set azlin up: init, config, context, login, auth, doctor.
package setup

import (
	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
)

// Commands are the commands of this heading, on what all commands share.
type Commands struct{ *app.App }

// Tree returns the commands in the order in which --help lists them.
func Tree(a *app.App) []*cobra.Command {
	c := Commands{a}
	return []*cobra.Command{app.OneGroup(newInitCommand(c)), newLoginCommand(c), newLogoutCommand(c), newAuthCommand(c), newDoctorCommand(c), newConfigCommand(c), newContextCommand(c), newAliasCommand(c)}
}
