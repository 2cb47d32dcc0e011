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
	f.StringVar(&a.Flags.query, "query", "", "filter the output with a JMESPath query, as in az")
	f.StringVar(&a.Flags.jq, "jq", "", "filter the JSON output with a jq expression, as in gh")
	f.StringVar(&a.Flags.Context, "context", "", "context to use; 'emulator' is built in (default: AZLIN_CONTEXT, or the current context)")
	f.StringVarP(&a.Flags.Group, "resource-group", "g", "", "resource group (default: the context's)")
	f.StringVar(&a.Flags.progress, "progress", string(term.ProgressAuto), "progress style: "+strings.Join(term.ProgressModes(), ", "))
	f.BoolVar(&a.Flags.debug, "debug", false, "log requests to standard error, without secrets")
	Complete(root, "output", term.Formats())
	Complete(root, "progress", term.ProgressModes())
}
