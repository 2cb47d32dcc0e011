package cli

import (
	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/vm"
)

func newAdoptCommand(a createCommands) *cobra.Command {
	var session string
	cmd := &cobra.Command{
		Use:   "adopt VM",
		Short: "Put an existing Linux VM under azlin's tags",
		Long: `Tags a VM that was not created by azlin, so that list, stop, kill and the others count it as azlin's. Nothing
else of it is changed.`,
		Example: "  azlin adopt build-server\n  azlin adopt build-server --session builds",
		Args:    exactly(1, "one VM"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			match, err := s.VMs.Resolve(cmd.Context(), args[0], s.Azure.Target().ResourceGroup)
			if err != nil {
				return err
			}
			if match.VM.Managed {
				a.say(match.VM.Name + " is azlin's already")
			}
			i, err := s.VMs.Adopt(cmd.Context(), match.VM.ResourceGroup, match.VM.Name, vm.AdoptOptions{SessionName: session, Owner: s.user})
			if err != nil {
				return err
			}
			return a.output.Print(showView(i))
		},
	}
	cmd.Flags().StringVar(&session, "session", "", "name of its session; default the VM's name")
	return cmd
}
