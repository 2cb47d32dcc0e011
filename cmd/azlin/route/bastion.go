package route

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/bastion"
	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/cost"
)

func newBastionCommand(a Commands) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bastion",
		Short: "Manage Bastions, which reach VMs without a public address",
		Long: `Azure Bastion lets people who are signed in to Azure reach VMs without a public address. azlin speaks its protocol itself:
connect, exec and the other commands use a Bastion whenever a VM cannot be reached otherwise, without configuration. A
Bastion reaches the VMs of its own network and, except for the Developer SKU, of peered networks.`,
		Example: "  azlin bastion create\n  azlin bastion list\n  azlin exec dev -- uname -a",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newBastionListCommand(a), newBastionStatusCommand(a), app.OneGroup(newBastionCreateCommand(a)), newBastionDeleteCommand(a), newBastionTunnelCommand(a))
	return cmd
}

func newBastionListCommand(a Commands) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List Bastions",
		Long: `Lists the Bastions of the subscription, or of the resource group given with -g, whoever created them, with their cost for
a month of 730 hours including the address and without traffic.`,
		Example: "  azlin bastion list\n  azlin bastion list -o json --jq '.[] | select(.tunneling) | .name'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.Open(cmd.Context())
			if err != nil {
				return err
			}
			all, err := s.Bastions.List(cmd.Context(), a.Flags.Group)
			if err != nil {
				return err
			}
			priced := make([]pricedBastion, len(all)) // not nil: an empty list is [] in JSON
			for n, b := range all {
				priced[n].Bastion = b
				priced[n].Hourly, priced[n].Monthly = bastionPrice(cmd.Context(), s, b.Location, b.SKU)
			}
			v := term.View{Data: priced, Grid: term.Rows(priced, pricedColumns())}
			if len(all) == 0 {
				v.Note = "there is no Bastion; azlin bastion create makes one"
			}
			return a.Output.Print(v)
		},
	}
	app.Listing[pricedBastion](a.App, cmd)
	return cmd
}

// pricedBastion is the JSON of a Bastion with what it costs.
type pricedBastion struct {
	bastion.Bastion

	Hourly  *cost.Money `json:"price_hourly"`  // null: not known
	Monthly *cost.Money `json:"price_monthly"` // of 730 hours
}

func pricedColumns() []term.Column[pricedBastion] {
	var columns []term.Column[pricedBastion]
	for _, c := range bastionColumns() {
		columns = append(columns, term.Column[pricedBastion]{
			Name: c.Name, Wide: c.Wide, Value: func(p pricedBastion) string { return c.Value(p.Bastion) },
		})
	}
	price := term.Column[pricedBastion]{Name: "monthly", Value: func(p pricedBastion) string {
		if p.Monthly == nil {
			return ""
		}
		return p.Monthly.Cents()
	}}
	return slices.Insert(columns, len(columns)-1, price) // before what only a wide screen shows
}

func bastionColumns() []term.Column[bastion.Bastion] {
	return []term.Column[bastion.Bastion]{
		{Name: "name", Value: func(b bastion.Bastion) string { return b.Name }},
		{Name: "group", Value: func(b bastion.Bastion) string { return b.ResourceGroup }},
		{Name: "region", Value: func(b bastion.Bastion) string { return b.Location }},
		{Name: "sku", Value: func(b bastion.Bastion) string { return b.SKU }},
		{Name: "state", Value: func(b bastion.Bastion) string { return b.State }},
		{Name: "tunnels", Value: func(b bastion.Bastion) string {
			if b.Usable() != nil {
				return "no"
			}
			return "yes"
		}},
		{Name: "network", Value: func(b bastion.Bastion) string { return nameOf(b.VNet) }},
		{Name: "dns_name", Value: func(b bastion.Bastion) string { return b.DNSName }, Wide: true},
	}
}

func nameOf(id string) string {
	parsed, err := azure.ParseID(id)
	if err != nil {
		return id
	}
	return parsed.Name()
}

// bastionStatus is the JSON of one Bastion.
type bastionStatus struct {
	pricedBastion

	Usable     bool   `json:"usable"`
	WhyNot     string `json:"why_not,omitempty"`
	LeftBehind int    `json:"sessions_ended"`
}

func newBastionStatusCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:   "status BASTION",
		Short: "Show a Bastion, its usability and cost",
		Long: `Shows a Bastion, whether azlin can open tunnels through it and if not why, and its list price including the address. It
also ends sessions at the Bastion that killed azlin processes of this machine left open.`,
		Example: "  azlin bastion status azlin-vnet-westus2-bastion\n  azlin bastion status hub -o json --jq .usable",
		Args:    app.Exactly(1, "one Bastion"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			s, err := a.Open(ctx)
			if err != nil {
				return err
			}
			b, err := s.Bastions.Find(ctx, args[0], s.Azure.Target().ResourceGroup)
			if err != nil {
				return err
			}
			v := bastionStatus{pricedBastion: pricedBastion{Bastion: b}, Usable: true}
			if err := b.Usable(); err != nil {
				v.Usable, v.WhyNot = false, err.Error()
			}
			if v.LeftBehind, err = a.sweepBastions(ctx, s); err != nil {
				return err
			}
			v.Hourly, v.Monthly = bastionPrice(ctx, s, b.Location, b.SKU)
			return a.Output.Print(bastionView(v))
		},
	}
}

// sweepBastions ends what killed processes left, and tells what could not be ended.
func (a Commands) sweepBastions(ctx context.Context, s *app.Session) (int, error) {
	done, err := s.Bastions.Sweep(ctx)
	switch {
	case done.Failed > 0:
		a.Say(fmt.Sprintf("warning: %d sessions of killed processes could not be ended: %v", done.Failed, done.Errs[0]))
	case len(done.Errs) > 0:
		a.Say(fmt.Sprintf("warning: %v", done.Errs[0]))
	}
	return done.Ended, err
}

// bastionPrice is what a Bastion costs with its address; nil where that is not known.
func bastionPrice(ctx context.Context, s *app.Session, region, sku string) (hourly, monthly *cost.Money) {
	price := s.Prices.Bastion(ctx, region, sku)
	if price.Money == nil {
		return nil, nil
	}
	sum := *price.Money
	if sku != bastion.Developer {
		ip := s.Prices.PublicIP(ctx, region)
		if ip.Money == nil {
			return nil, nil
		}
		var err error
		if sum, err = sum.Add(*ip.Money); err != nil {
			return nil, nil
		}
	}
	month := sum.PerMonth()
	return &sum, &month
}

func bastionView(v bastionStatus) term.View {
	price := "-"
	if v.Hourly != nil {
		price = fmt.Sprintf("%s per hour, %s per month of 730 h without traffic", v.Hourly, v.Monthly.Cents())
	}
	usable := "yes"
	if !v.Usable {
		usable = "no: " + v.WhyNot
	}
	lines := []app.PlanLine{
		app.Line("name", v.Name),
		app.Line("group", v.ResourceGroup),
		app.Line("region", v.Location),
		app.Line("sku", v.SKU),
		app.Line("state", v.State),
		app.Line("network", nameOf(v.VNet)),
		app.Line("dns name", v.DNSName),
		app.Line("tunnels", usable),
		app.Line("price", price),
	}
	view := term.View{Data: v, Grid: app.PlanGrid(lines)}
	if v.LeftBehind > 0 {
		view.Note = fmt.Sprintf("%d sessions of killed processes were ended", v.LeftBehind)
	}
	return view
}
