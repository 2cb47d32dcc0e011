package setup

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
)

func newAliasCommand(a Commands) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "alias",
		Short: "Manage words of your own for commands",
		Long: `An alias is a word that stands for a command with its arguments. Aliases are stored in config.toml. A command of azlin's own
cannot be replaced.

$1 to $9 in an alias are its arguments; further arguments are added at the end.`,
		Example: `  azlin alias set up 'start --select tag:env=dev'
  azlin alias set log 'logs $1 --source tools'
  azlin alias list`,
		RunE: app.ShowGroup,
	}
	cmd.AddCommand(newAliasListCommand(a), newAliasSetCommand(a), newAliasDeleteCommand(a))
	return cmd
}

type aliasView struct {
	Name    string `json:"name"`
	Command string `json:"command"`
}

func newAliasListCommand(a Commands) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List aliases",
		Example: "  azlin alias list\n  azlin alias list -o json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := a.ConfigFile().Load()
			if err != nil {
				return err
			}
			views := []aliasView{}
			for _, name := range slices.Sorted(maps.Keys(c.Aliases)) {
				views = append(views, aliasView{name, c.Aliases[name]})
			}
			v := term.View{Data: views, Grid: term.Rows(views, []term.Column[aliasView]{
				{Name: "name", Value: func(v aliasView) string { return v.Name }},
				{Name: "command", Value: func(v aliasView) string { return v.Command }},
			})}
			if len(views) == 0 {
				v.Note = "no aliases; create one with 'azlin alias set NAME COMMAND'"
			}
			return a.Output.Print(v)
		},
	}
	app.Listing[aliasView](a.App, cmd)
	return cmd
}

func newAliasSetCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:     "set NAME COMMAND",
		Short:   "Create or replace an alias",
		Long:    `Creates an alias, or replaces it. The command is one argument, quoted as a shell reads it, without 'azlin'.`,
		Example: "  azlin alias set up 'start --select tag:env=dev'\n  azlin alias set log 'logs $1 --source tools'",
		Args:    app.Exactly(2, "a name and a command in quotes"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if app.IsCommand(cmd.Root(), args[0]) {
				return errkind.New(errkind.Conflict, "%s is a command of azlin's own", args[0])
			}
			if word, _, _ := strings.Cut(strings.TrimSpace(args[1]), " "); !app.IsCommand(cmd.Root(), word) {
				return app.UnknownCommand(cmd.Root(), word)
			}
			return a.ConfigFile().Set(cmd.Context(), "aliases."+args[0], args[1])
		},
	}
}

func newAliasDeleteCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:     "delete NAME",
		Aliases: []string{"rm"},
		Short:   "Delete an alias",
		Example: "  azlin alias delete up",
		Args:    app.Exactly(1, "one alias"),
		RunE: func(cmd *cobra.Command, args []string) error {
			was, err := a.ConfigFile().Unset(cmd.Context(), "aliases."+args[0])
			if err == nil && !was {
				return &errkind.Error{Kind: errkind.NotFound, Err: fmt.Errorf("there is no alias %q", args[0]), Next: app.Next("azlin alias list")}
			}
			return err
		},
	}
}
