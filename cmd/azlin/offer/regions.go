package offer

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/vm/catalog"
)

func newRegionsCommand(a Commands) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "regions",
		Short:   "List regions",
		Long:    `Lists the regions available to the subscription, with their availability zones.`,
		Example: "  azlin regions\n  azlin regions -o tsv --query \"regions[?geography=='Europe'].name\"",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.Open(cmd.Context())
			if err != nil {
				return err
			}
			regions, err := s.Catalog.Regions(cmd.Context())
			if err != nil {
				return err
			}
			return a.Output.Print(term.View{
				Data: regions,
				Grid: term.Rows(regions, []term.Column[catalog.Region]{
					{Name: "name", Value: func(r catalog.Region) string { return r.Name }},
					{Name: "label", Value: func(r catalog.Region) string { return r.Label }},
					{Name: "geography", Value: func(r catalog.Region) string { return r.Geography }},
					{Name: "zones", Value: func(r catalog.Region) string { return strings.Join(r.Zones, ",") }},
				}),
			})
		},
	}
	app.Listing[catalog.Region](a.App, cmd)
	return cmd
}
