package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
)

const (
	groupVM       = "vm"
	groupLook     = "look"
	groupSetup    = "setup"
	groupEmulator = "emulator"
)

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "azlin",
		Short: "Development VMs on Azure, from nothing to a shell in one command",
		Long: `azlin provisions, reaches and runs Ubuntu development VMs on Azure.

    azlin new --name dev            create a VM and connect to it
    azlin list                      what there is
    azlin connect dev               back into its tmux session
    azlin kill dev                  delete it and everything that belongs to it

Without an Azure account, try all of it on the local emulator:

    azlin --context emulator new --name dev`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
		PersistentPreRunE: func(*cobra.Command, []string) error { return a.prepare() },
	}
	root.SuggestionsMinimumDistance = 2
	root.SetOut(a.streams.Out)
	root.SetErr(a.streams.Err)
	root.SetIn(a.streams.In)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &errkind.Error{Kind: errkind.Invalid, Err: err, Next: cmd.CommandPath() + " --help"}
	})
	a.addFlags(root)
	root.AddGroup(
		&cobra.Group{ID: groupVM, Title: "Virtual machines:"},
		&cobra.Group{ID: groupLook, Title: "Looking around in Azure:"},
		&cobra.Group{ID: groupSetup, Title: "Setting up:"},
		&cobra.Group{ID: groupEmulator, Title: "Trying it without an Azure account:"},
	)
	for _, c := range []*cobra.Command{
		newNewCommand(a), newListCommand(a), newShowCommand(a), newConnectCommand(a), newExecCommand(a), newProxyCommand(a), newSSHConfigCommand(a),
		newStartCommand(a), newStopCommand(a), newRestartCommand(a), newAdoptCommand(a), newKillCommand(a), newKillallCommand(a), newDestroyCommand(a),
		newOperationsCommand(a), newLogsCommand(a), newSessionCommand(a), newHistoryCommand(a), newLastCommand(a), newBastionCommand(a),
		newRestoreCommand(a), newTunnelCommand(a), newCodeCommand(a),
		newStatusCommand(a), newTagCommand(a), newTemplateCommand(a), newKeysCommand(a), newCleanupCommand(a), newUpdateCommand(a), newOSUpdateCommand(a), newResizeCommand(a), newCloneCommand(a), newImageCommand(a), newPruneCommand(a), newWhyCommand(a),
	} {
		c.GroupID = groupVM
		root.AddCommand(c)
	}
	for _, c := range []*cobra.Command{newSizesCommand(a), newRegionsCommand(a), newImagesCommand(a), newQuotaCommand(a)} {
		c.GroupID = groupLook
		root.AddCommand(c)
	}
	for _, c := range []*cobra.Command{
		newInitCommand(a), newLoginCommand(a), newLogoutCommand(a), newAuthCommand(a), newDoctorCommand(a), newConfigCommand(a), newContextCommand(a),
	} {
		c.GroupID = groupSetup
		root.AddCommand(c)
	}
	emulatorCommand := newEmulatorCommand(a)
	emulatorCommand.GroupID = groupEmulator
	root.AddCommand(emulatorCommand, newSelftestCommand(a), newVersionCommand(a), newExitCodesTopic())
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	return root
}

func unknownCommand(cmd *cobra.Command, name string) error {
	message := fmt.Sprintf("unknown command %q", name)
	if near := cmd.SuggestionsFor(name); len(near) > 0 {
		message += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return &errkind.Error{Kind: errkind.Invalid, Err: fmt.Errorf("%s", message), Next: cmd.CommandPath() + " --help"}
}

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

// complete offers fixed values for a flag. Registering fails only for a flag that does not exist, which
// the tests of the command tree would show.
func complete(cmd *cobra.Command, flag string, values []string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}
