package look

import (
	"context"
	"fmt"
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
	Image             *string           `json:"image"`
	Identity          *string           `json:"identity"`
	Disks             []string          `json:"disks"` // ids, the OS disk first
	Managed           bool              `json:"managed"`
}

func viewOf(i vm.Info) vmView {
	return vmView{
		Name: i.Name, ResourceGroup: i.ResourceGroup, Location: i.Location, PowerState: string(i.PowerState),
		PublicIP: app.Known(i.PublicIP), PrivateIP: app.Known(i.PrivateIP), VMSize: app.Known(i.VMSize), OSType: app.Known(i.OSType),
		ProvisioningState: app.Known(i.ProvisioningState), CreatedTime: i.CreatedTime, Tags: i.Tags,
		SessionName: app.Known(i.SessionName), ID: i.ID, VMID: app.Known(i.VMID), Zones: i.Zones,
		AdminUsername: app.Known(i.AdminUsername), Spot: i.Spot, Image: app.Known(i.Image), Identity: app.Known(i.Identity), Disks: i.Disks, Managed: i.Managed,
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
