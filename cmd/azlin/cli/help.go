package cli

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
)

// wrapHelp makes --help as wide as the terminal: prose and the descriptions of flags are wrapped by the program, not by hand.
func wrapHelp(a *app.App, root *cobra.Command) {
	width := a.Streams.Width
	if width <= 0 {
		width = term.DefaultWidth
	}
	flags := fmt.Sprintf("Flags.FlagUsagesWrapped %d", width)
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), "Flags.FlagUsages", flags))
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		cmd.Long = term.Wrap(cmd.Long, width)
		out := cmd.OutOrStdout()
		var text bytes.Buffer
		cmd.SetOut(a.Streams.Text(&text))
		help(cmd, args)
		cmd.SetOut(out)
		if !a.Page(text.String()) {
			_, _ = out.Write(text.Bytes()) // nowhere to report a broken terminal to
		}
	})
}
