package app

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/local/config"
)

// AddFlags adds the flags that every command has.
func (a *App) AddFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringVarP(&a.Flags.output, "output", "o", string(term.Table), "output format: "+strings.Join(term.Formats(), ", "))
	f.StringVar(&a.Flags.query, "query", "", "filter the output with a JMESPath query, as in az")
	f.StringVar(&a.Flags.jq, "jq", "", "filter the JSON output with a jq expression, as in gh")
	f.StringVar(&a.Flags.Context, "context", "", "context to use; 'emulator' is built in (default: AZLIN_CONTEXT, or the current context)")
	f.StringVarP(&a.Flags.Group, "resource-group", "g", "", "resource group (default: the context's)")
	f.BoolVarP(&a.Flags.AllGroups, "all-groups", "A", false, "all resource groups, also where one is set")
	f.BoolVar(&a.Flags.noPager, "no-pager", false, "do not show long lists and help in a pager (AZLIN_PAGER, PAGER)")
	f.StringVar(&a.Flags.progress, "progress", string(term.ProgressAuto), "progress style: "+strings.Join(term.ProgressModes(), ", "))
	f.BoolVar(&a.Flags.debug, "debug", false, "log requests to standard error, without secrets")
	Complete(root, "output", term.Formats())
	Complete(root, "progress", term.ProgressModes())
}

// annotationOneGroup marks commands that work in one resource group.
const annotationOneGroup = "one-group"

// OneGroup has a command refuse --all-groups.
func OneGroup(cmd *cobra.Command) *cobra.Command {
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[annotationOneGroup] = "true"
	return cmd
}

// PrepareGroup checks what the command line says about resource groups.
func (a *App) PrepareGroup(cmd *cobra.Command) error {
	switch {
	case !a.Flags.AllGroups:
		return nil
	case a.Flags.Group != "":
		return Usage(cmd, "--resource-group and --all-groups exclude each other")
	case cmd.Annotations[annotationOneGroup] != "":
		return Usage(cmd, "this command works in one resource group; use -g GROUP")
	}
	return nil
}

// Notes joins lines of which some may be empty.
func Notes(lines ...string) string {
	return strings.Join(slices.DeleteFunc(lines, func(line string) bool { return line == "" }), "\n")
}

// Limit says to which resource group the command is limited, where the command line does not; empty: to none.
func (s *Session) Limit() string {
	where := ""
	switch s.group.Origin {
	case config.FromEnvironment:
		where = s.group.Where
	case config.FromContext:
		where = "context " + s.Context.Name
	case config.FromConfig:
		where = "default_resource_group"
	default:
		return ""
	}
	return fmt.Sprintf("only resource group %s (%s); -A shows all groups", s.group.Text(), where)
}
