package offer

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/vm/catalog"
)

func newQuotaCommand(a Commands) *cobra.Command {
	var region string
	var all bool
	cmd := &cobra.Command{
		Use:   "quota",
		Short: "Show the subscription's quota and its use",
		Long: `Shows the subscription's limits in a region and their use: the limits that apply to every VM, and those that are partly
used. A VM counts against the vCPUs of the region and of its size's family; a spot VM counts against the low-priority
vCPUs.`,
		Example: `  azlin quota
  azlin quota --region eastus --all
  azlin quota -o json --jq '.[] | select(.limit - .current < 8) | .name'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.Open(cmd.Context())
			if err != nil {
				return err
			}
			at := cmp.Or(region, s.Azure.Target().Region)
			quotas, err := s.Catalog.Quotas(cmd.Context(), at)
			if err != nil {
				return err
			}
			found := len(quotas)
			if !all {
				quotas = slices.DeleteFunc(quotas, func(q catalog.Quota) bool {
					return q.Current == 0 && !slices.Contains([]string{catalog.QuotaCores, catalog.QuotaSpotCores, catalog.QuotaPublicIPs}, q.Name)
				})
			}
			return a.Output.Print(quotasView(at, quotas, found-len(quotas)))
		},
	}
	cmd.Flags().StringVar(&region, "region", "", "region (default: the context's, or default_region)")
	cmd.Flags().BoolVar(&all, "all", false, "include unused limits")
	app.Listing[quotaView](a.App, cmd)
	return cmd
}

// quotaView is the JSON of a limit.
type quotaView struct {
	catalog.Quota

	Left   int64  `json:"left"`
	Region string `json:"region"`
}

func quotasView(region string, quotas []catalog.Quota, hidden int) term.View {
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	views := make([]quotaView, len(quotas))
	for n, q := range quotas {
		views[n] = quotaView{q, q.Left(), region}
	}
	v := term.View{
		Data: views,
		Grid: term.Rows(views, []term.Column[quotaView]{
			{Name: "name", Value: func(q quotaView) string { return q.Name }},
			{Name: "current", Title: "in use", Value: func(q quotaView) string { return number(q.Current) }},
			{Name: "limit", Value: func(q quotaView) string { return number(q.Limit) }},
			{Name: "left", Value: func(q quotaView) string { return number(q.Left) }, Color: quotaColor},
			{Name: "label", Value: func(q quotaView) string { return q.Label }, Wide: true},
		}),
	}
	if hidden > 0 {
		v.Note = fmt.Sprintf("%d more, of which nothing is in use; show them with --all", hidden)
	}
	return v
}

func quotaColor(q quotaView) term.Color {
	if q.Left == 0 {
		return term.Yellow
	}
	return term.Green
}
