package cli

import (
	"strings"

	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/spf13/cobra"
)

// addFlags adds the flags that every command has.
func (a *app) addFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringVarP(&a.flags.output, "output", "o", string(term.Table), "output format: "+strings.Join(term.Formats(), ", "))
	f.StringVar(&a.flags.query, "query", "", "select from the output with JMESPath, as in az")
	f.StringVar(&a.flags.jq, "jq", "", "select from the output with jq, as in gh")
	f.StringVar(&a.flags.context, "context", "", "context to work in (see AZLIN_CONTEXT); 'emulator' is built in")
	f.StringVarP(&a.flags.group, "resource-group", "g", "", "resource group to work in")
	f.StringVar(&a.flags.progress, "progress", string(term.ProgressAuto), "how to show progress: "+strings.Join(term.ProgressModes(), ", "))
	f.BoolVar(&a.flags.debug, "debug", false, "log requests to standard error, without secrets")
	complete(root, "output", term.Formats())
	complete(root, "progress", term.ProgressModes())
}
