package look

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/vm"
)

func newListCommand(a Commands) *cobra.Command {
	var options vm.ListOptions
	var watch app.Watching
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List VMs",
		Long: `Lists azlin's VMs, newest first: those of the resource group that is given with -g or set, and with -A or without one those of
the whole subscription. It sends four requests, however many VMs there are.`,
		Example: `  azlin list
  azlin list --all -g team
  azlin list -A --sort-by size --watch
  azlin list -o tsv --query "[?power_state=='running'].name"
  azlin list --jq '.[] | [.name, .public_ip] | @tsv'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := watch.Check(cmd); err != nil {
				return err
			}
			s, err := a.Open(cmd.Context())
			if err != nil {
				return err
			}
			options.ResourceGroup = s.Azure.Target().ResourceGroup
			return a.Watch(cmd.Context(), watch, func(ctx context.Context) error {
				listing, err := s.VMs.List(ctx, options)
				if err != nil {
					return err
				}
				view := listView(listing)
				view.Note = app.Notes(view.Note, s.Limit())
				return a.Output.Print(view)
			})
		},
	}
	cmd.Flags().BoolVar(&options.All, "all", false, "include VMs that azlin did not create")
	cmd.Flags().BoolVar(&options.RunningOnly, "running", false, "only running VMs")
	watch.Add(cmd)
	app.Listing[vmView](a.App, cmd)
	return cmd
}

// vmView is the JSON of a VM. What is not known is null.
type vmView struct {
	Name              string            `json:"name"`
	ResourceGroup     string            `json:"resource_group"`
	Location          string            `json:"location"`
	PowerState        string            `json:"power_state"`
	PublicIP          *string           `json:"public_ip"`
	PrivateIP         *string           `json:"private_ip"`
	VMSize            *string           `json:"size"`
	OSType            *string           `json:"os_type"`
	ProvisioningState *string           `json:"provisioning_state"`
	CreatedTime       *time.Time        `json:"created"`
	Tags              map[string]string `json:"tags"`
	SessionName       *string           `json:"session"`
	ID                string            `json:"id"`
	VMID              *string           `json:"vm_id"`
	Zones             []string          `json:"zones"`
	AdminUsername     *string           `json:"admin_username"`
	Spot              bool              `json:"spot"`
	Disks             []string          `json:"disks"` // ids, the OS disk first
	Managed           bool              `json:"managed"`
}

func viewOf(i vm.Info) vmView {
	return vmView{
		Name: i.Name, ResourceGroup: i.ResourceGroup, Location: i.Location, PowerState: string(i.PowerState),
		PublicIP: app.Known(i.PublicIP), PrivateIP: app.Known(i.PrivateIP), VMSize: app.Known(i.VMSize), OSType: app.Known(i.OSType),
		ProvisioningState: app.Known(i.ProvisioningState), CreatedTime: i.CreatedTime, Tags: i.Tags,
		SessionName: app.Known(i.SessionName), ID: i.ID, VMID: app.Known(i.VMID), Zones: i.Zones,
		AdminUsername: app.Known(i.AdminUsername), Spot: i.Spot, Disks: i.Disks, Managed: i.Managed,
	}
}

func listView(l vm.Listing) term.View {
	views := make([]vmView, len(l.VMs)) // not nil: an empty list is [] in JSON
	for n, i := range l.VMs {
		views[n] = viewOf(i)
	}
	v := term.View{
		Data: views,
		Grid: term.Rows(l.VMs, []term.Column[vm.Info]{
			{Name: "name", Value: func(i vm.Info) string { return i.Name }},
			{Name: "session", Value: func(i vm.Info) string { return i.SessionName }, Wide: true},
			{Name: "power_state", Title: "status", Value: vm.Info.StatusDisplay, Color: statusColor},
			{Name: "public_ip", Value: func(i vm.Info) string { return i.PublicIP }},
			{Name: "size", Value: func(i vm.Info) string { return i.VMSize }},
			{Name: "location", Value: func(i vm.Info) string { return i.Location }, Wide: true},
			{Name: "resource_group", Title: "group", Value: func(i vm.Info) string { return i.ResourceGroup }, Wide: true},
			{Name: "created", Value: createdDisplay, Wide: true},
		}),
	}
	if len(l.VMs) == 0 {
		v.Note = "no VMs; create one with 'azlin new'"
	}
	if l.Hidden > 0 {
		v.Note = strings.TrimPrefix(v.Note+"\n", "\n") + fmt.Sprintf("%d more not created by azlin; show them with --all", l.Hidden)
	}
	return v
}

func createdDisplay(i vm.Info) string {
	if i.CreatedTime == nil {
		return ""
	}
	return i.CreatedTime.UTC().Format("2006-01-02 15:04Z")
}

func statusColor(i vm.Info) term.Color {
	switch {
	case i.IsRunning():
		return term.Green
	case i.IsStopped():
		return term.Dim
	}
	return term.Yellow
}

func newShowCommand(a Commands) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "show VM",
		Short:   "Show a VM",
		Long:    `Shows one VM, given by name, session name or address.`,
		Example: "  azlin show dev\n  azlin show dev -o json --jq .public_ip",
		Args:    app.Exactly(1, "one VM"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.Open(cmd.Context())
			if err != nil {
				return err
			}
			match, err := s.Find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.Output.Print(ShowView(match.VM))
		},
	}
	app.Fields[vmView](a.App, cmd)
	return cmd
}

// ShowView is one VM as a list of properties.
func ShowView(i vm.Info) term.View {
	type property struct{ name, value string }
	tags := make([]string, 0, len(i.Tags))
	for _, k := range slices.Sorted(maps.Keys(i.Tags)) {
		tags = append(tags, k+"="+i.Tags[k])
	}
	properties := []property{
		{"name", i.Name},
		{"session", i.SessionName},
		{"status", i.StatusDisplay()},
		{"provisioning_state", i.ProvisioningState},
		{"public_ip", i.PublicIP},
		{"private_ip", i.PrivateIP},
		{"size", i.VMSize},
		{"os_type", i.OSType},
		{"location", i.Location},
		{"zones", strings.Join(i.Zones, ",")},
		{"resource_group", i.ResourceGroup},
		{"admin_username", i.AdminUsername},
		{"created", createdDisplay(i)},
		{"id", i.ID},
		{"tags", strings.Join(tags, " ")},
	}
	return term.View{Data: viewOf(i), Grid: term.Rows(properties, []term.Column[property]{
		{Name: "property", Value: func(p property) string { return p.name }},
		{Name: "value", Value: func(p property) string { return p.value }},
	})}
}
