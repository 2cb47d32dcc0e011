package cli

import (
	_ "embed"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
)

// bashWords lets the script for bash do without the package bash-completion, which macOS and small containers do not have.
//
//go:embed completion.bash
var bashWords string

// ownCompletion adapts cobra's command 'completion': a shell that it does not know is an error.
func ownCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() != "completion" {
			continue
		}
		cmd.Short = "Generate a completion script for a shell"
		cmd.Long = "Generates the script that lets a shell complete azlin's commands, flags and names. See the help of each shell for how to load it."
		cmd.Args, cmd.RunE = cobra.ArbitraryArgs, app.ShowGroup
		for _, shell := range cmd.Commands() {
			if shell.Name() != "bash" {
				continue
			}
			script := shell.RunE
			shell.RunE = func(cmd *cobra.Command, args []string) error {
				if err := script(cmd, args); err != nil {
					return err
				}
				_, err := cmd.OutOrStdout().Write([]byte(bashWords))
				return err
			}
		}
	}
}

// newHelpCommand is cobra's command 'help', for which a topic that there is not is an error.
func newHelpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Show help for a command or a topic",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			of, _, err := cmd.Root().Find(args)
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var offered []cobra.Completion
			for _, c := range of.Commands() {
				if c.IsAvailableCommand() || c.IsAdditionalHelpTopicCommand() {
					offered = append(offered, cobra.CompletionWithDesc(c.Name(), c.Short))
				}
			}
			return offered, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			of, rest, err := cmd.Root().Find(args)
			if len(rest) > 0 || err != nil {
				return app.UnknownCommand(of, rest[0])
			}
			of.InitDefaultHelpFlag()
			return of.Help()
		},
	}
}
