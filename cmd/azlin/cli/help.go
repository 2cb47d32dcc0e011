package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/term"
)

// wrapHelp makes --help as wide as the terminal: prose and the descriptions of flags are wrapped by the program, not by hand.
func wrapHelp(root *cobra.Command, width int) {
	if width <= 0 {
		width = term.DefaultWidth
	}
	flags := fmt.Sprintf("Flags.FlagUsagesWrapped %d", width)
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), "Flags.FlagUsages", flags))
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		cmd.Long = term.Wrap(cmd.Long, width)
		help(cmd, args)
	})
}
