package setup

import (
	"bufio"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/config"
)

func newConfigCommand(a Commands) *cobra.Command {
	var keys strings.Builder
	for _, k := range config.Keys() {
		fmt.Fprintf(&keys, "    %-24s %s", k.Name, k.Description)
		if k.Default != "" {
			fmt.Fprintf(&keys, "; default %s", k.Default)
		}
		keys.WriteByte('\n')
	}
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Show and change the configuration",
		Long: `The configuration is config.toml in azlin's directory. You can also edit it by hand: azlin changes single values and keeps
comments, order and unknown keys.

Values are taken from, in this order: flags, the environment, the context, the configuration, defaults. The keys are

` + strings.TrimRight(keys.String(), "\n"),
		RunE: app.ShowGroup,
	}
	cmd.AddCommand(
		newConfigGetCommand(a), newConfigSetCommand(a), newConfigUnsetCommand(a), newConfigListCommand(a),
		newConfigShowCommand(a), newConfigEditCommand(a), newConfigPathCommand(a),
	)
	return cmd
}

// completeKeys offers the names of keys for the first argument.
func completeKeys(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, k := range config.Keys() {
		if len(args) == 0 {
			names = append(names, k.Name+"\t"+k.Description)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// hidden stands for the value of a secret key.
const hidden = "(hidden)"

// shown is a value as it may be shown.
func shown(k config.Key, value any) any {
	if k.Secret && value != nil {
		return hidden
	}
	return value
}

// valueLines writes a value for a person: a list has a line per element, a table one per entry.
func valueLines(value any) []string {
	switch v := value.(type) {
	case string:
		return []string{v}
	case []string:
		return v
	case map[string]string:
		var lines []string
		for _, entry := range slices.Sorted(maps.Keys(v)) {
			lines = append(lines, entry+"="+v[entry])
		}
		return lines
	}
	return nil
}

func newConfigGetCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:   "get KEY",
		Short: "Show the value of a key",
		Long: `Shows the configured value of a key, or its default. A list is printed one element per line. The exit code is 6 for a key
without a value or default. Secret values are not shown; read them in the file.`,
		Example:           "  azlin config get default_region\n  azlin config get session_names.dev",
		Args:              app.Exactly(1, "one key"),
		ValidArgsFunction: completeKeys,
		RunE: func(_ *cobra.Command, args []string) error {
			k, entry, err := config.Lookup(args[0])
			if err != nil {
				return err
			}
			c, err := a.ConfigFile().Load()
			if err != nil {
				return err
			}
			value := shown(k, c.Value(k))
			if value == nil && k.Default != "" {
				value = k.Default
			}
			if table, ok := value.(map[string]string); ok && entry != "" {
				value = nil
				if v, ok := table[entry]; ok {
					value = v
				}
			}
			if value == nil {
				return &errkind.Error{Kind: errkind.NotFound, Op: "get", Resource: args[0], Err: fmt.Errorf("it is not set"), Next: app.Next("azlin config set", args[0], "VALUE")}
			}
			return a.printLines(value, valueLines(value))
		},
	}
}

// printLines shows a value that is not a table of things: for a person without a heading.
func (a Commands) printLines(data any, lines []string) error {
	if a.Output.Format == term.Table && a.Output.Query == "" && a.Output.JQ == "" {
		for _, line := range lines {
			if _, err := fmt.Fprintln(a.Streams.Out, term.Clean(line)); err != nil {
				return err
			}
		}
		return nil
	}
	return a.Output.Print(term.View{Data: data, Grid: term.Rows(lines, []term.Column[string]{
		{Name: "value", Value: func(s string) string { return s }},
	})})
}

func newConfigSetCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:   "set KEY VALUE...",
		Short: "Set a key",
		Long: `Sets a key in config.toml, or an entry of a table, for example session_names.dev. A list takes several values. The value -
is read from standard input, which keeps secrets off the command line.`,
		Example: `  azlin config set default_vm_size Standard_D4s_v5
  azlin config set notification_channels desktop webhook
  azlin config set notification_webhook - < webhook.txt`,
		ValidArgsFunction: completeKeys,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return app.Usage(cmd, "missing argument: this command takes a key and its value")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			values := args[1:]
			if len(values) == 1 && values[0] == "-" {
				line, err := bufio.NewReader(a.Streams.In).ReadString('\n')
				if line = strings.TrimSpace(line); line == "" {
					return errkind.New(errkind.Invalid, "set %s: there is no value on standard input (%v)", args[0], err)
				}
				values = []string{line}
			}
			return a.ConfigFile().Set(cmd.Context(), args[0], values...)
		},
	}
}

func newConfigUnsetCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:   "unset KEY",
		Short: "Remove a key",
		Long: `Removes a key from config.toml, so its default applies again. This also works for unknown keys. A key that is not set is
not an error.`,
		Example:           "  azlin config unset default_region\n  azlin config unset session_names.dev",
		Args:              app.Exactly(1, "one key"),
		ValidArgsFunction: completeKeys,
		RunE: func(cmd *cobra.Command, args []string) error {
			was, err := a.ConfigFile().Unset(cmd.Context(), args[0])
			if err == nil && !was {
				a.Say(args[0] + " was not set")
			}
			return err
		},
	}
}

func newConfigListCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the values set in config.toml",
		Example: "  azlin config list\n  azlin config list -o json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := a.ConfigFile().Load()
			if err != nil {
				return err
			}
			a.SayUnknown(c.Unknown)
			type entry struct{ key, value string }
			data, rows := map[string]any{}, []entry{}
			for _, k := range config.Keys() {
				value := shown(k, c.Value(k))
				if value == nil {
					continue
				}
				data[k.Name] = value
				if table, ok := value.(map[string]string); ok {
					for _, name := range slices.Sorted(maps.Keys(table)) {
						rows = append(rows, entry{k.Name + "." + name, table[name]})
					}
					continue
				}
				rows = append(rows, entry{k.Name, strings.Join(valueLines(value), " ")})
			}
			v := term.View{Data: data, Grid: term.Rows(rows, []term.Column[entry]{
				{Name: "key", Value: func(e entry) string { return e.key }},
				{Name: "value", Value: func(e entry) string { return e.value }},
			})}
			if len(rows) == 0 {
				v.Note = "nothing is set; 'azlin config --help' lists the keys"
			}
			return a.Output.Print(v)
		},
	}
}

// settingView is one effective value.
type settingView struct {
	Name   string  `json:"name"`
	Value  any     `json:"value"`
	Origin *string `json:"origin,omitempty"`
	Where  *string `json:"where,omitempty"`
}

func newConfigShowCommand(a Commands) *cobra.Command {
	var origin bool
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show all values in effect",
		Long: `Shows the target of commands and all other values in effect, with --origin also where each comes from: flag, environment,
context, config or default. A tenant or subscription that is not set is the Azure CLI's current one, or the emulator's.`,
		Example: "  azlin config show --origin\n  azlin --context prod config show --jq '.[] | select(.name == \"region\").value'",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			r, err := a.Settings()
			if err != nil {
				return err
			}
			secret := map[string]config.Key{}
			for _, k := range config.Keys() {
				secret[k.Name] = k
			}
			var views []settingView
			for _, s := range r.Settings() {
				v := settingView{Name: s.Name, Value: shown(secret[s.Name], s.Value)}
				if origin {
					v.Origin, v.Where = new(string(s.Origin)), new(s.Where)
					if s.Origin == config.FromFlag {
						v.Where = new("--" + strings.ReplaceAll(s.Name, "_", "-"))
					}
				}
				views = append(views, v)
			}
			columns := []term.Column[settingView]{
				{Name: "name", Value: func(v settingView) string { return v.Name }},
				{Name: "value", Value: func(v settingView) string { return strings.Join(valueLines(v.Value), " ") }},
			}
			if origin {
				columns = append(columns,
					term.Column[settingView]{Name: "origin", Value: func(v settingView) string { return *v.Origin }},
					term.Column[settingView]{Name: "where", Value: func(v settingView) string { return *v.Where }, Wide: true})
			}
			return a.Output.Print(term.View{
				Data: views,
				Grid: term.Rows(views, columns),
			})
		},
	}
	cmd.Flags().BoolVar(&origin, "origin", false, "show where each value comes from")
	app.Listing[settingView](a.App, cmd)
	return cmd
}

func newConfigPathCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:     "path",
		Short:   "Show the path of config.toml",
		Example: "  azlin config path",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return a.printLines(a.Paths.Config, []string{a.Paths.Config})
		},
	}
}
