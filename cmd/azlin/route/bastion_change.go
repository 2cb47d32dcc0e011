package route

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/bastion"
	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/cost"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/config"
	"github.com/azlin-dev/azlin/network"
)

type bastionCreateFlags struct {
	consent           app.Consent
	vnet, name, sku   string
	region, subnet    string
	ipConnect, dryRun bool
}

func newBastionCreateCommand(a Commands) *cobra.Command {
	var flags bastionCreateFlags
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Create a Bastion",
		Long: `Creates a Bastion in a network, with tunnels for native clients enabled, and its subnet AzureBastionSubnet and public
address if they are missing. It shows the plan with its cost and asks first. This takes six to ten minutes, and Azure
charges for every hour that the Bastion exists.

SKUs: Standard; Premium; Developer, which is free, needs no subnet or address, reaches only its own network and is
available in some regions. Basic does not support tunnels.

Without --vnet, the Bastion is created in the network that 'azlin new' creates for a region.`,
		Example: `  azlin bastion create
  azlin bastion create --sku Developer
  azlin bastion create --vnet hub -g network --dry-run`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.createBastion(cmd.Context(), flags) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.vnet, "vnet", "", "name or id of the network (default: azlin's network of the region)")
	f.StringVar(&flags.name, "name", "", "name of the Bastion (default: the network's name with -bastion)")
	f.StringVar(&flags.sku, "sku", bastion.Standard, "SKU: Standard, Premium or Developer")
	f.StringVar(&flags.region, "region", "", "region of azlin's network (default: the context's, or default_region)")
	f.StringVar(&flags.subnet, "subnet-prefix", "", "range for a new AzureBastionSubnet, /26 or larger (default: a free range)")
	f.BoolVar(&flags.ipConnect, "ip-connect", false, "allow connecting to targets by IP address")
	f.BoolVar(&flags.dryRun, "dry-run", false, "show what would be created and stop")
	flags.consent.Add(cmd)
	app.Complete(cmd, "sku", []string{bastion.Standard, bastion.Premium, bastion.Developer})
	return cmd
}

// bastionPlanView is the JSON of what is about to be made.
type bastionPlanView struct {
	bastion.CreatePlan

	Hourly  *cost.Money `json:"price_hourly"` // null: not known
	Monthly *cost.Money `json:"price_monthly"`
}

// newBastion is the plan of a Bastion and of the network that it needs.
type newBastion struct {
	bastionPlanView

	network bool // azlin's own, which does not exist yet
}

func (a Commands) createBastion(ctx context.Context, flags bastionCreateFlags) error {
	var prefix netip.Prefix
	if flags.subnet != "" {
		var err error
		if prefix, err = netip.ParsePrefix(flags.subnet); err != nil {
			return errkind.New(errkind.Invalid, "--subnet-prefix: %w", err)
		}
	}
	return app.Change[newBastion]{
		Consent: flags.consent, DryRun: flags.dryRun,
		Plan: func(ctx context.Context, s *app.Session) (newBastion, error) {
			return a.planBastion(ctx, s, flags, prefix)
		},
		View: func(n newBastion) term.View {
			return term.View{Data: n.bastionPlanView, Grid: app.PlanGrid(bastionPlanLines(n.bastionPlanView, n.network))}
		},
		Question: func(n newBastion) string { return "Create " + n.Name + "?" },
		Show: func(s *app.Session, n newBastion) {
			a.Say("To be created:")
			a.SayTarget(s, n.ResourceGroup)
			for _, l := range bastionPlanLines(n.bastionPlanView, n.network) {
				a.Say(fmt.Sprintf("  %-11s %s", l.Name, l.Value))
			}
		},
		Apply: func(ctx context.Context, s *app.Session, n newBastion) error {
			var made bastion.Bastion
			plan := n.CreatePlan
			err := a.Showing("create", "creating bastion "+plan.Name, func(report func(string)) (err error) {
				if n.network {
					if _, err := s.Networks.EnsureShared(ctx, plan.ResourceGroup, plan.Location, s.User, report); err != nil {
						return err
					}
				}
				made, err = s.Bastions.Create(ctx, plan, report)
				return err
			})
			if err != nil {
				return &errkind.Error{Err: err, Next: app.Next("azlin bastion create --vnet", plan.VNet, "--name", plan.Name, "--sku", plan.SKU)}
			}
			return a.Output.Print(term.View{Data: made, Grid: term.Rows([]bastion.Bastion{made}, bastionColumns())})
		},
	}.Do(ctx, a.App)
}

func (a Commands) planBastion(ctx context.Context, s *app.Session, flags bastionCreateFlags, prefix netip.Prefix) (n newBastion, err error) {
	target := s.Azure.Target()
	vnet := flags.vnet
	if !strings.HasPrefix(vnet, "/") {
		vnet = s.Networks.VNetID(cmp.Or(target.ResourceGroup, config.DefaultResourceGroup), cmp.Or(vnet, network.VNetName(cmp.Or(flags.region, target.Region))))
	}
	n.CreatePlan, err = s.Bastions.PlanCreate(ctx, bastion.CreateOptions{
		VNet: vnet, Name: flags.name, SKU: flags.sku, SubnetPrefix: prefix, IPConnect: flags.ipConnect, Owner: s.User,
	})
	if n.network = azure.IsNotFound(err) && flags.vnet == ""; n.network {
		n.CreatePlan, err = a.planWithNetwork(ctx, s, flags, prefix)
	}
	if azure.IsNotFound(err) {
		return n, &errkind.Error{
			Kind: errkind.NotFound, Op: "create bastion", Resource: n.Name, Err: fmt.Errorf("a bastion needs a network: %w", err),
		}
	}
	if err == nil {
		n.Hourly, n.Monthly = bastionPrice(ctx, s, n.Location, n.SKU)
	}
	return n, err
}

// planWithNetwork plans a Bastion in azlin's own network, which does not exist yet: as if it had been made.
func (a Commands) planWithNetwork(ctx context.Context, s *app.Session, flags bastionCreateFlags, prefix netip.Prefix) (bastion.CreatePlan, error) {
	target := s.Azure.Target()
	rehearsal, _ := azure.Rehearse(ctx)
	vnet, err := s.Networks.EnsureShared(rehearsal, cmp.Or(target.ResourceGroup, config.DefaultResourceGroup), cmp.Or(flags.region, target.Region), s.User, nil)
	if err != nil {
		return bastion.CreatePlan{}, err
	}
	return s.Bastions.PlanCreate(rehearsal, bastion.CreateOptions{
		VNet: vnet, Name: flags.name, SKU: flags.sku, SubnetPrefix: prefix, IPConnect: flags.ipConnect, Owner: s.User,
	})
}

func bastionPlanLines(v bastionPlanView, newNetwork bool) []app.PlanLine {
	network := nameOf(v.VNet)
	if newNetwork {
		network += " (new)"
	}
	lines := []app.PlanLine{app.Line("name", v.Name), app.Line("group", v.ResourceGroup), app.Line("region", v.Location), app.Line("sku", v.SKU), app.Line("network", network)}
	if v.Subnet != "" {
		subnet := bastion.SubnetName + " (is there)"
		if v.NewSubnet.IsValid() {
			subnet = bastion.SubnetName + " " + v.NewSubnet.String() + " (new)"
		}
		address := nameOf(v.PublicIP) + " (is there)"
		if v.NewPublicIP {
			address = nameOf(v.PublicIP) + " (new)"
		}
		lines = append(lines, app.Line("subnet", subnet), app.Line("address", address))
	}
	if v.IPConnect {
		lines = append(lines, app.Line("ip-connect", "yes"))
	}
	price := "not known"
	if v.Hourly != nil {
		price = fmt.Sprintf("%s per hour, %s per month of 730 h without traffic", v.Hourly, v.Monthly.Cents())
	}
	return append(lines, app.Line("price", price))
}

type bastionDeleteFlags struct {
	consent app.Consent
	dryRun  bool
}

func newBastionDeleteCommand(a Commands) *cobra.Command {
	var flags bastionDeleteFlags
	cmd := &cobra.Command{
		Use:   "delete BASTION",
		Short: "Delete a Bastion",
		Long: `Deletes a Bastion, which closes the tunnels through it, and its public address and subnet if azlin created them. It shows
what is deleted and what is kept, and asks first. Afterwards, VMs without a public address cannot be reached.`,
		Example: "  azlin bastion delete azlin-vnet-westus2-bastion\n  azlin bastion delete hub -g network --dry-run\n  azlin bastion delete hub --yes",
		Args:    app.Exactly(1, "one Bastion"),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.deleteBastion(cmd.Context(), args[0], flags) },
	}
	flags.consent.Add(cmd)
	cmd.Flags().BoolVar(&flags.dryRun, "dry-run", false, "show what would be deleted and stop")
	return cmd
}

func (a Commands) deleteBastion(ctx context.Context, name string, flags bastionDeleteFlags) error {
	return app.Change[bastion.DeletePlan]{
		Consent: flags.consent, DryRun: flags.dryRun,
		Plan: func(ctx context.Context, s *app.Session) (bastion.DeletePlan, error) {
			return planBastionDeletion(ctx, s, name)
		},
		View:     func(plan bastion.DeletePlan) term.View { return bastionDeletionView(plan, "would be deleted") },
		Question: func(plan bastion.DeletePlan) string { return "Delete " + plan.Name + "?" },
		Show: func(s *app.Session, plan bastion.DeletePlan) {
			a.Say("To be deleted:")
			a.SayTarget(s, plan.ResourceGroup)
			for _, i := range plan.Items {
				a.Say(fmt.Sprintf("  %-10s %s", i.Type, i.Name))
			}
		},
		Apply: func(ctx context.Context, s *app.Session, plan bastion.DeletePlan) error {
			err := a.Showing("delete", "deleting bastion "+plan.Name, func(report func(string)) error { return s.Bastions.Delete(ctx, plan, report) })
			if err != nil {
				return &errkind.Error{Err: err, Next: app.Next("azlin bastion delete", plan.Name, "-g", plan.ResourceGroup)}
			}
			return a.Output.Print(bastionDeletionView(plan, "deleted"))
		},
	}.Do(ctx, a.App)
}

// planBastionDeletion finds a Bastion, or what is left of one.
func planBastionDeletion(ctx context.Context, s *app.Session, name string) (bastion.DeletePlan, error) {
	group := s.Azure.Target().ResourceGroup
	b, missing := s.Bastions.Find(ctx, name, group)
	switch {
	case missing == nil:
		name, group = b.Name, b.ResourceGroup
	case errkind.Of(missing) == errkind.NotFound && !strings.HasPrefix(name, "/"):
		group = cmp.Or(group, config.DefaultResourceGroup)
	default:
		return bastion.DeletePlan{}, missing
	}
	plan, err := s.Bastions.PlanDelete(ctx, group, name)
	if azure.IsNotFound(err) {
		return plan, missing
	}
	return plan, err
}

func bastionDeletionView(plan bastion.DeletePlan, result string) term.View {
	v := term.View{Data: plan, Grid: term.Rows(plan.Items, []term.Column[bastion.Item]{
		{Name: "type", Value: func(i bastion.Item) string { return i.Type }},
		{Name: "name", Value: func(i bastion.Item) string { return i.Name }},
		{Name: "result", Value: func(bastion.Item) string { return result }},
	})}
	for _, k := range plan.Kept {
		if v.Note != "" {
			v.Note += "\n"
		}
		v.Note += fmt.Sprintf("%s %s stays: %s", k.Type, k.Name, k.Reason)
	}
	return v
}
