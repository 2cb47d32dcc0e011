// Package emulate has the commands of the local Azure: emulator and selftest.
package emulate

import (
	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
)

// Commands are the commands of this heading, on what all commands share.
type Commands struct{ *app.App }

// Tree returns the commands in the order in which --help lists them.
func Tree(a *app.App, main mainFunc) []*cobra.Command {
	c := Commands{a}
	return []*cobra.Command{newEmulatorCommand(c), newSelftestCommand(c, main)}
}
