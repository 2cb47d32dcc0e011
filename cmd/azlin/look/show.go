package look

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/batch"
	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/cost"
	"github.com/azlin-dev/azlin/health/detail"
	"github.com/azlin-dev/azlin/network"
	"github.com/azlin-dev/azlin/vm"
)

func newShowCommand(a Commands) *cobra.Command {
	var which app.Selecting
	var ids bool
	cmd := &cobra.Command{
		Use:   "show VM...",
		Short: "Show VMs",
		Long: `Shows VMs with their image, disks, price per month at list prices, from where SSH is allowed, and how they are reached.

One VM that is named is an object in JSON; several, patterns and --select are an array.`,
		Example: `  azlin show dev
  azlin show 'web-*'
  azlin show dev --json image,disk_details,ssh_sources
  azlin show dev -o json --jq .public_ip`,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.Open(cmd.Context())
			if err != nil {
				return err
			}
			sel, err := s.Choose(cmd.Context(), args, which)
			if err != nil {
				return err
			}
			results := batch.Run(cmd.Context(), sel.VMs(), batch.Options{}, func(ctx context.Context, i vm.Info) (detail.VM, error) {
				return s.Details.Of(ctx, i), nil
			})
			if err := context.Cause(cmd.Context()); err != nil {
				return err
			}
			one := len(args) == 1 && which.Empty() && !vm.IsPattern(args[0])
			return a.printDetails(results, one, ids)
		},
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error { return which.Check(cmd, args) }
	which.Add(cmd, "")
	cmd.Flags().BoolVar(&ids, "ids", false, "include ids and azlin's own tags")
	app.Fields[detailView](a.App, cmd)
	return cmd
}

// detailView is the JSON of a VM with its details.
type detailView struct {
	vmView

	DiskDetails  []detail.Disk `json:"disk_details"`
	PriceMonthly *cost.Money   `json:"price_monthly"`
	Cost         cost.Estimate `json:"cost"`
	SSHSources   []string      `json:"ssh_sources"` // null: not known
	Bastion      *string       `json:"bastion"`
	Unknown      []string      `json:"unknown"`
}

func viewOfDetail(v detail.VM) detailView {
	view := detailView{
		vmView: viewOf(v.Info), DiskDetails: v.Disks, PriceMonthly: v.Monthly, Cost: v.Cost, SSHSources: v.Sources, Bastion: app.Known(v.Bastion), Unknown: []string{},
	}
	for _, err := range v.Unknown {
		view.Unknown = append(view.Unknown, err.Error())
	}
	return view
}

// printDetails prints VMs: to a person each below its name, and to a program as an array unless one VM was meant.
func (a Commands) printDetails(results []batch.Result[detail.VM], one, ids bool) error {
	views := make([]detailView, len(results))
	var rows []vmProperty
	var notes []string
	for n, r := range results {
		views[n] = viewOfDetail(r.Value)
		for _, p := range propertiesOf(r.Value, ids) {
			rows = append(rows, vmProperty{r.Value.Info.Name, p})
		}
		for _, text := range views[n].Unknown {
			notes = append(notes, fmt.Sprintf("note: %s: not all is known: %s", r.Value.Info.Name, text))
		}
	}
	var err error
	switch {
	case one:
		err = a.Output.Print(term.View{Data: views[0], Grid: gridOf(propertiesOf(results[0].Value, ids))})
	case a.Output.ForPeople():
		for n, r := range results {
			err = errors.Join(err, a.Output.Heading(n, r.Value.Info.Name), a.Output.Print(term.View{Data: views[n], Grid: gridOf(propertiesOf(r.Value, ids))}))
		}
	default:
		err = a.Output.Print(term.View{Data: views, Grid: term.Rows(rows, []term.Column[vmProperty]{
			{Name: "vm", Value: func(p vmProperty) string { return p.vm }},
			{Name: "property", Value: func(p vmProperty) string { return p.name }},
			{Name: "value", Value: func(p vmProperty) string { return p.value }},
		})})
	}
	for _, note := range notes {
		a.Say(note)
	}
	return err
}

type property struct{ name, value string }

type vmProperty struct {
	vm string
	property
}

func gridOf(properties []property) term.Grid {
	return term.Rows(properties, []term.Column[property]{
		{Name: "property", Value: func(p property) string { return p.name }},
		{Name: "value", Value: func(p property) string { return p.value }},
	})
}

// propertiesOf are the facts about a VM; those that most VMs have not are left out without a value.
func propertiesOf(v detail.VM, ids bool) []property {
	i := v.Info
	all := basicProperties(i)
	var disks []string
	for _, d := range v.Disks {
		text := d.Role
		if d.SizeGB != nil {
			text = fmt.Sprintf("%s %d GB", text, *d.SizeGB)
		}
		disks = append(disks, strings.TrimSpace(text+" "+d.Type))
	}
	sources := strings.Join(v.Sources, ", ")
	switch {
	case slices.Contains(v.Sources, network.Anybody):
		sources = "everywhere"
	case v.Sources != nil && len(v.Sources) == 0:
		sources = "nowhere"
	}
	way := ""
	switch {
	case i.PublicIP != "":
		way = "its public address"
	case v.Bastion != "":
		way = "Bastion " + v.Bastion
	case len(v.Unknown) == 0:
		way = "nothing: it has no public address, and no Bastion reaches it"
	}
	all = append(all, property{"disk_details", strings.Join(disks, ", ")}, property{"ssh_sources", sources}, property{"reached_through", way},
		property{"price_monthly", app.MoneyText(v.Monthly, cost.Money.Cents)})
	return append(all, lastProperties(i, ids)...)
}

func basicProperties(i vm.Info) []property {
	all := []property{
		{"name", i.Name},
		{"session", i.SessionName},
		{"power_state", i.StatusDisplay()},
		{"public_ip", i.PublicIP},
		{"private_ip", i.PrivateIP},
		{"size", i.VMSize},
		{"image", i.Image},
		{"location", i.Location},
		{"resource_group", i.ResourceGroup},
		{"admin_username", i.AdminUsername},
		{"created", createdDisplay(i)},
	}
	for _, p := range []property{{"zones", strings.Join(i.Zones, ",")}, {"identity", i.Identity}} {
		if p.value != "" {
			all = append(all, p)
		}
	}
	if i.Spot {
		all = append(all, property{"spot", "true"})
	}
	if !strings.EqualFold(i.ProvisioningState, "Succeeded") {
		all = append(all, property{"provisioning_state", i.ProvisioningState})
	}
	return all
}

func lastProperties(i vm.Info, ids bool) []property {
	var tags []string
	for _, k := range slices.Sorted(maps.Keys(i.Tags)) {
		if ids || !azure.OwnTag(k) {
			tags = append(tags, k+"="+i.Tags[k])
		}
	}
	var all []property
	if ids {
		all = append(all, property{"id", i.ID}, property{"vm_id", i.VMID})
	}
	if len(tags) > 0 {
		all = append(all, property{"tags", strings.Join(tags, " ")})
	}
	return all
}

// ShowView is one VM as a list of properties, without what would have to be asked for.
func ShowView(i vm.Info) term.View {
	return term.View{Data: viewOf(i), Grid: gridOf(append(basicProperties(i), lastProperties(i, false)...))}
}
