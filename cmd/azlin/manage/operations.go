package manage

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/launch"
)

func newOperationsCommand(a Commands) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "operations",
		Aliases: []string{"operation", "op"},
		Short:   "Manage unfinished operations",
		Long: `Lists, resumes, abandons and forgets unfinished operations: launches, clones, images, resizes and Bastions that were
interrupted or failed, on this machine or on others; and of this machine, key rotations, updates that continue on
their VMs, and power operations that were not waited for.`,
		Example: "  azlin operations list\n  azlin operations resume dev",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newOperationsListCommand(a), newOperationsShowCommand(a), newOperationsResumeCommand(a), newOperationsAbandonCommand(a), newOperationsForgetCommand(a))
	return cmd
}

// operationView is an operation as it is shown. It has no place for what is secret in one.
type operationView struct {
	ID            string          `json:"id"`
	Kind          change.Kind     `json:"kind"`
	VM            *string         `json:"vm"`  // of several the first; null: there is none, or none yet
	VMs           []string        `json:"vms"` // all that it works on, as far as they are there
	ResourceGroup string          `json:"resource_group"`
	Subscription  string          `json:"subscription_id"`
	Created       *time.Time      `json:"created"`
	Updated       *time.Time      `json:"updated"`
	Stage         *string         `json:"stage"`
	LastError     *string         `json:"last_error"`
	AzureID       *string         `json:"azure_operation_id"`
	Here          bool            `json:"here"` // this machine remembers what was asked for
	Owner         *string         `json:"owner"`
	Request       json.RawMessage `json:"request,omitempty"`
	Resources     []string        `json:"resources"` // ids of what it has made in Azure; null: none is known of
	Source        *string         `json:"source"`    // of a clone and of an image: the VM whose disks it begins with
	Image         *string         `json:"image"`     // of a VM that an image is baked of: its name and version
}

func viewOfOperation(u change.Unfinished) operationView {
	v := operationView{
		ID: u.ID, Kind: u.Kind, VM: app.Known(u.VM), VMs: u.VMs, ResourceGroup: u.ResourceGroup, Subscription: u.Subscription,
		Created: u.Created, Updated: u.Updated, Stage: app.Known(u.Step), LastError: app.Known(u.LastError), Here: u.Here(),
		Owner: app.Known(u.Owner), Resources: u.Resources, Source: app.Known(u.Source), Image: app.Known(u.Image),
	}
	if v.VMs == nil {
		v.VMs = []string{}
	}
	if u.File != nil {
		v.AzureID = app.Known(u.File.AzureID)
	}
	return v
}

func (v operationView) state() string {
	switch {
	case v.LastError != nil:
		return "failed"
	case v.Kind == change.Update:
		return "at work on the VM"
	case v.Kind.Waits():
		return "accepted by Azure"
	case v.Here:
		return "cut off"
	case v.Kind == change.New:
		return "begun elsewhere"
	}
	return "cut off or at work"
}

func newOperationsListCommand(a Commands) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List unfinished operations",
		Example: "  azlin operations list\n  azlin operations list -o json --jq '.[].id'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.Open(cmd.Context())
			if err != nil {
				return err
			}
			all, failure := s.Operations.List(cmd.Context(), s.Azure.Target().ResourceGroup)
			views := make([]operationView, len(all))
			for n, u := range all {
				views[n] = viewOfOperation(u)
			}
			v := term.View{
				Data: views,
				Grid: term.Rows(views, []term.Column[operationView]{
					{Name: "id", Value: func(v operationView) string { return v.ID }},
					{Name: "kind", Value: func(v operationView) string { return string(v.Kind) }},
					{Name: "vm", Value: func(v operationView) string { return app.Text(v.VM) }},
					{Name: "resource_group", Title: "group", Value: func(v operationView) string { return v.ResourceGroup }},
					{Name: "created", Title: "began", Value: func(v operationView) string { return app.Moment(v.Created) }},
					{Name: "state", Value: operationView.state},
					{Name: "stage", Value: func(v operationView) string { return app.Text(v.Stage) }},
					{Name: "resources", Value: func(v operationView) string { return count(v.Resources) }},
					{Name: "last_error", Title: "error", Value: func(v operationView) string { return app.Text(v.LastError) }, Wide: true},
				}),
			}
			if len(views) == 0 && failure == nil {
				v.Note = "no operation is unfinished"
			}
			v.Note = app.Notes(v.Note, s.Limit())
			if err := a.Output.Print(v); err != nil {
				return err
			}
			return failure
		},
	}
	app.Listing[operationView](a.App, cmd, "state")
	return cmd
}

func count(all []string) string {
	if all == nil {
		return ""
	}
	return fmt.Sprint(len(all))
}

func newOperationsShowCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:     "show OPERATION",
		Short:   "Show an unfinished operation",
		Long:    "Shows an operation, found by its id, the beginning of that, or the name of its VM: what was asked for, how far it came, and what exists in Azure because of it.",
		Example: "  azlin operations show dev\n  azlin operations show dev -o json --jq .resources",
		Args:    app.Exactly(1, "an operation"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.Open(cmd.Context())
			if err != nil {
				return err
			}
			u, err := s.Operations.Get(cmd.Context(), s.Azure.Target().ResourceGroup, args[0])
			if err != nil {
				return err
			}
			v := viewOfOperation(u)
			v.Request = u.Request()
			return a.Output.Print(operationProperties(v))
		},
	}
}

func operationProperties(v operationView) term.View {
	type property struct{ name, value string }
	properties := []property{
		{"id", v.ID},
		{"kind", string(v.Kind)},
		{"vm", app.Text(v.VM)},
		{"resource_group", v.ResourceGroup},
		{"subscription", v.Subscription},
		{"state", v.state()},
		{"began", app.Moment(v.Created)},
		{"updated", app.Moment(v.Updated)},
		{"owner", app.Text(v.Owner)},
		{"stage", app.Text(v.Stage)},
		{"last_error", app.Text(v.LastError)},
		{"azure_operation_id", app.Text(v.AzureID)},
		{"source", app.Text(v.Source)},
		{"image", app.Text(v.Image)},
		{"next", app.WordStep(errkind.Step{Action: errkind.ResumeOperation, Name: v.ID})},
	}
	var request launch.Request
	if v.Kind == change.New && json.Unmarshal(v.Request, &request) == nil {
		properties = append(properties, property{"size", request.Size}, property{"region", request.Region})
		if request.Repository != nil {
			properties = append(properties, property{"repository", request.Repository.URL})
		}
	}
	for _, r := range v.Resources {
		properties = append(properties, property{"exists", r})
	}
	return term.View{Data: v, Grid: term.Rows(properties, []term.Column[property]{
		{Name: "property", Value: func(p property) string { return p.name }},
		{Name: "value", Value: func(p property) string { return p.value }},
	})}
}
