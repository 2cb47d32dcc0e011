package app

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/term"
)

// AddFlags adds the flags that every command has.
func (a *App) AddFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringVarP(&a.Flags.output, "output", "o", string(term.Table), "output format: "+strings.Join(term.Formats(), ", "))
	f.StringVar(&a.Flags.query, "query", "", "select from the output with JMESPath, as in az")
	f.StringVar(&a.Flags.jq, "jq", "", "select from the output with jq, as in gh")
	f.StringVar(&a.Flags.Context, "context", "", "context to work in (see AZLIN_CONTEXT); 'emulator' is built in")
	f.StringVarP(&a.Flags.Group, "resource-group", "g", "", "resource group to work in")
	f.StringVar(&a.Flags.progress, "progress", string(term.ProgressAuto), "how to show progress: "+strings.Join(term.ProgressModes(), ", "))
	f.BoolVar(&a.Flags.debug, "debug", false, "log requests to standard error, without secrets")
	Complete(root, "output", term.Formats())
	Complete(root, "progress", term.ProgressModes())
}
