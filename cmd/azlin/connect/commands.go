// Package connect has the commands that work inside a VM: connect, exec, code, restore, and what remembers where one
// was: session, history, last; and ssh-config for other programs.
package connect

import (
	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
)

// Commands are the commands of this heading, on what all commands share.
type Commands struct{ *app.App }

// Tree returns the commands in the order in which --help lists them.
func Tree(a *app.App) []*cobra.Command {
	c := Commands{a}
	return []*cobra.Command{newConnectCommand(c), newExecCommand(c), newSSHConfigCommand(c), newSessionCommand(c), newHistoryCommand(c), newLastCommand(c), newRestoreCommand(c), newCodeCommand(c)}
}
