package create

import (
	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/look"
	"github.com/azlin-dev/azlin/vm"
)

func newAdoptCommand(a Commands) *cobra.Command {
	var session string
	cmd := &cobra.Command{
		Use:   "adopt VM",
		Short: "Let azlin manage an existing VM",
		Long: `Tags a VM that azlin did not create, so that list, stop, kill and the other commands treat it as azlin's. Nothing else of
the VM changes.`,
		Example: "  azlin adopt build-server\n  azlin adopt build-server --session builds",
		Args:    app.Exactly(1, "one VM"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.OpenToChange(cmd.Context())
			if err != nil {
				return err
			}
			match, err := s.Find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if match.VM.Managed {
				a.Say(match.VM.Name + " is azlin's already")
			}
			i, err := s.VMs.Adopt(cmd.Context(), match.VM.Ref, vm.AdoptOptions{SessionName: session, Owner: s.User})
			if err != nil {
				return err
			}
			return a.Output.Print(look.ShowView(i))
		},
	}
	cmd.Flags().StringVar(&session, "session", "", "session name (default: the VM's name)")
	return cmd
}
