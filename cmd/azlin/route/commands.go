// Package route has the commands for networks and ports that are not public: bastion, proxy, tunnel.
package route

import (
	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
)

// Commands are the commands of this heading, on what all commands share.
type Commands struct{ *app.App }

// Tree returns the commands in the order in which --help lists them.
func Tree(a *app.App) []*cobra.Command {
	c := Commands{a}
	return []*cobra.Command{newTunnelCommand(c), newBastionCommand(c), newProxyCommand(c)}
}
