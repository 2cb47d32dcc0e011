package cli

import (
	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/complete"
	"github.com/azlin-dev/azlin/cmd/azlin/connect"
	"github.com/azlin-dev/azlin/cmd/azlin/create"
	"github.com/azlin-dev/azlin/cmd/azlin/emulate"
	"github.com/azlin-dev/azlin/cmd/azlin/look"
	"github.com/azlin-dev/azlin/cmd/azlin/manage"
	"github.com/azlin-dev/azlin/cmd/azlin/offer"
	"github.com/azlin-dev/azlin/cmd/azlin/remove"
	"github.com/azlin-dev/azlin/cmd/azlin/route"
	"github.com/azlin-dev/azlin/cmd/azlin/setup"
	"github.com/azlin-dev/azlin/errkind"
)

// heading is a group of commands in --help, and the package that they are in.
type heading struct {
	id, title string
	commands  []*cobra.Command
}

// headings are the commands as --help shows them. No heading has more than twelve.
func headings(a *app.App) []heading {
	return []heading{
		{"create", "Create VMs", create.Tree(a)},
		{"connect", "Connect and run commands", connect.Tree(a)},
		{"route", "Reach private networks and ports", route.Tree(a)},
		{"look", "Inspect VMs", look.Tree(a)},
		{"manage", "Manage VMs", manage.Tree(a)},
		{"remove", "Delete VMs and resources", remove.Tree(a)},
		{"offer", "Sizes, regions, images and quota", offer.Tree(a)},
		{"setup", "Set up azlin", setup.Tree(a)},
		{"emulate", "Use azlin without Azure", emulate.Tree(a, Main)},
	}
}

func newRoot(a *app.App) *cobra.Command {
	root := &cobra.Command{
		Use:   "azlin",
		Short: "Manage development VMs on Azure",
		Long: `azlin provisions, reaches and runs Ubuntu development VMs on Azure.

    azlin new dev                   create a VM and connect to it
    azlin list                      list your VMs
    azlin connect dev               return to its tmux session
    azlin kill dev                  delete it with its disks, network interface and address

To try azlin without an Azure account, use the local emulator:

    azlin --context emulator new dev`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return app.UnknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.Prepare(cmd.CommandPath()); err != nil {
				return err
			}
			if err := a.PrepareGroup(cmd); err != nil {
				return err
			}
			return a.PrepareListing(cmd)
		},
	}
	root.Version = readVersion().Version
	root.SetVersionTemplate("azlin {{.Version}}\n")
	root.SetOut(a.Streams.Text(a.Streams.Out))
	root.SetErr(a.Streams.Err)
	root.SetIn(a.Streams.In)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if plain := app.PlainFlags(cmd, err); plain != err { //nolint:errorlint // whether it is another one
			return plain
		}
		return &errkind.Error{Kind: errkind.Invalid, Err: err, Next: app.Next(cmd.CommandPath(), "--help")}
	})
	a.AddFlags(root)
	for _, h := range headings(a) {
		root.AddGroup(&cobra.Group{ID: h.id, Title: h.title + ":"})
		for _, c := range h.commands {
			c.GroupID = h.id
			root.AddCommand(c)
		}
	}
	root.AddCommand(newVersionCommand(a), newExitCodesTopic(), newSelectionTopic(), newOutputTopic())
	wrapHelp(root, a.Streams.Width)
	app.PlainArguments(root)
	root.SetHelpCommand(newHelpCommand())
	root.InitDefaultHelpCmd()
	ownCompletion(root)
	complete.Tree(a, root)
	return root
}
