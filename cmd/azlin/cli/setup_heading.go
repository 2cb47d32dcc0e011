package cli

import "github.com/spf13/cobra"

// setupCommands are the commands of this heading, on what all commands share.
type setupCommands struct{ *app }

// setupTree returns the commands in the order in which --help lists them.
func setupTree(a *app) []*cobra.Command {
	c := setupCommands{a}
	return []*cobra.Command{newInitCommand(c), newLoginCommand(c), newLogoutCommand(c), newAuthCommand(c), newDoctorCommand(c), newConfigCommand(c), newContextCommand(c)}
}
