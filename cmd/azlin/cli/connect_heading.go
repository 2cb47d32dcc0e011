package cli

import "github.com/spf13/cobra"

// connectCommands are the commands of this heading, on what all commands share.
type connectCommands struct{ *app }

// connectTree returns the commands in the order in which --help lists them.
func connectTree(a *app) []*cobra.Command {
	c := connectCommands{a}
	return []*cobra.Command{newConnectCommand(c), newExecCommand(c), newProxyCommand(c), newSSHConfigCommand(c), newSessionCommand(c), newHistoryCommand(c), newLastCommand(c), newBastionCommand(c), newRestoreCommand(c), newTunnelCommand(c), newCodeCommand(c)}
}
