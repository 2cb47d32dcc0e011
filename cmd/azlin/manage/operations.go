package manage

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
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
		Long: `Lists, resumes and forgets unfinished operations: launches that were interrupted or failed, on this machine or on others,
clones and images in progress, key rotations, and power operations that were not waited for.`,
		Example: "  azlin operations list\n  azlin operations resume dev",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newOperationsListCommand(a), newOperationsShowCommand(a), newOperationsResumeCommand(a), newOperationsForgetCommand(a))
	return cmd
}

// operationView is an operation as it is shown. It has no place for what is secret in one.
type operationView struct {
	ID            string          `json:"id"`
	Kind          string          `json:"kind"`
	VM            *string         `json:"vm"` // null: only snapshots are there, through which disks are copied
	ResourceGroup string          `json:"resource_group"`
	Subscription  string          `json:"subscription_id"`
	Created       *time.Time      `json:"created"`
	Updated       *time.Time      `json:"updated"`
	Stage         *string         `json:"stage"`
	LastError     *string         `json:"last_error"`
	AzureID       *string         `json:"azure_operation_id"`
	Here          bool            `json:"here"` // this machine can go on with it
	Owner         *string         `json:"owner"`
	Request       json.RawMessage `json:"request,omitempty"`
	Resources     []string        `json:"resources"` // ids of what it has left in Azure; null: not looked for
	Source        *string         `json:"source"`    // of a clone and of an image: the VM whose disks it begins with
	Image         *string         `json:"image"`     // of a VM that an image is baked of: its name and version
}

// again is what goes on with what did not begin as a launch on this machine.
func (v operationView) again() errkind.Step {
	name, source := app.Text(v.VM), app.Text(v.Source)
	switch {
	case v.Kind == string(change.New):
		return errkind.Step{Action: errkind.CreateVM, VM: name, Group: v.ResourceGroup}
	case name == "": // only snapshots are left of it
		switch image, _, _ := strings.Cut(app.Text(v.Image), ":"); {
		case source == "":
			return app.Next("azlin cleanup")
		case image != "":
			return errkind.Step{Action: errkind.BakeImage, VM: source, Group: v.ResourceGroup, Name: image}
		}
		return errkind.Step{Action: errkind.CloneVM, VM: source, Group: v.ResourceGroup}
	case source == "":
		return errkind.Step{Action: errkind.DeleteVM, VM: name, Group: v.ResourceGroup}
	case v.Image != nil:
		image, _, _ := strings.Cut(*v.Image, ":")
		return errkind.Step{Action: errkind.BakeImage, VM: source, Group: v.ResourceGroup, Name: image}
	}
	return errkind.Step{Action: errkind.CloneVM, VM: source, Group: v.ResourceGroup}
}

// copies is whether it makes a VM of another one's disks, which any machine can go on with.
func (v operationView) copies() bool { return v.Kind == kindClone || v.Kind == kindBake }

// The kinds of what only Azure's tags tell of; see vm.Unfinished.
const (
	kindClone = "clone"
	kindBake  = "bake"
)

func (v operationView) state() string {
	switch {
	case v.LastError != nil:
		return "failed"
	case v.copies():
		return "cut off or at work"
	case v.Kind != string(change.New) && v.Kind != string(change.RotateKeys):
		return "accepted by Azure"
	case !v.Here:
		return "begun elsewhere"
	}
	return "cut off"
}

// listOperations joins what this machine remembers with what the tags tell. Both are returned as far as they could be read.
func listOperations(ctx context.Context, s *app.Session) ([]operationView, error) {
	local, damaged := s.Launcher.Operations.List()
	var views []operationView
	for _, op := range local {
		if !strings.EqualFold(op.Subscription, s.Azure.SubscriptionID()) {
			continue
		}
		views = append(views, viewOfOperation(op))
	}
	found, err := s.Provisioner.Unfinished(ctx, s.Azure.Target().ResourceGroup)
	if damaged != nil {
		err = damaged
	}
	for _, u := range found {
		i := slices.IndexFunc(views, func(v operationView) bool { return v.ID == u.OperationID })
		if i < 0 {
			i = len(views)
			views = append(views, operationView{
				ID: u.OperationID, Kind: u.Kind, VM: app.Known(u.Name), ResourceGroup: u.ResourceGroup,
				Subscription: s.Azure.SubscriptionID(), Created: u.Created, Source: app.Known(u.Source), Image: app.Known(u.Image),
			})
		}
		views[i].Owner, views[i].Resources = app.Known(u.Owner), u.Resources
	}
	return views, err
}

func viewOfOperation(op *change.Operation) operationView {
	v := operationView{
		ID: op.ID, Kind: string(op.Kind), VM: app.Known(op.Name), ResourceGroup: op.Group, Subscription: op.Subscription,
		Created: &op.Created, Stage: app.Known(op.Stage), LastError: app.Known(op.LastError), AzureID: app.Known(op.AzureID), Here: true,
	}
	if !op.Updated.IsZero() {
		v.Updated = &op.Updated
	}
	return v
}

func newOperationsListCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List unfinished operations",
		Example: "  azlin operations list\n  azlin operations list -o json --jq '.operations[].id'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.Open(cmd.Context())
			if err != nil {
				return err
			}
			views, failure := listOperations(cmd.Context(), s)
			if views == nil {
				views = []operationView{}
			}
			v := term.View{
				Data: struct {
					Operations []operationView `json:"operations"`
				}{views},
				Grid: term.Rows(views, []term.Column[operationView]{
					{Name: "id", Value: func(v operationView) string { return v.ID }},
					{Name: "kind", Value: func(v operationView) string { return v.Kind }},
					{Name: "vm", Value: func(v operationView) string { return app.Text(v.VM) }},
					{Name: "group", Value: func(v operationView) string { return v.ResourceGroup }},
					{Name: "began", Value: func(v operationView) string { return app.Moment(v.Created) }},
					{Name: "state", Value: operationView.state},
					{Name: "stage", Value: func(v operationView) string { return app.Text(v.Stage) }},
					{Name: "resources", Value: func(v operationView) string { return count(v.Resources) }},
					{Name: "error", Value: func(v operationView) string { return app.Text(v.LastError) }, Wide: true},
				}),
			}
			if len(views) == 0 && failure == nil {
				v.Note = "no operation is unfinished"
			}
			if err := a.Output.Print(v); err != nil {
				return err
			}
			return failure
		},
	}
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
			v, err := findOperation(cmd.Context(), s, args[0])
			if err != nil {
				return err
			}
			return a.Output.Print(operationProperties(v))
		},
	}
}

// findOperation finds an operation among those that are listed.
func findOperation(ctx context.Context, s *app.Session, name string) (operationView, error) {
	views, err := listOperations(ctx, s)
	if err != nil {
		return operationView{}, err
	}
	fit := slices.DeleteFunc(slices.Clone(views), func(v operationView) bool { return v.ID != name })
	if len(fit) == 0 {
		fit = slices.DeleteFunc(views, func(v operationView) bool {
			return !strings.HasPrefix(v.ID, name) && !strings.EqualFold(app.Text(v.VM), name)
		})
	}
	switch len(fit) {
	case 0:
		return operationView{}, &errkind.Error{
			Kind: errkind.NotFound, Op: "find operation", Resource: name, Err: fmt.Errorf("nothing unfinished has that id or VM"), Next: errkind.Step{Action: errkind.ListOperations},
		}
	case 1:
		v := fit[0]
		if op, err := s.Launcher.Operations.Get(v.ID); err == nil {
			v.Request = op.Request
		}
		return v, nil
	}
	ids := make([]string, len(fit))
	for n, v := range fit {
		ids[n] = v.ID
	}
	return operationView{}, errkind.New(errkind.Conflict, "operation %q: several fit: %s", name, strings.Join(ids, ", "))
}

func operationProperties(v operationView) term.View {
	type property struct{ name, value string }
	properties := []property{
		{"id", v.ID},
		{"kind", v.Kind},
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
	}
	if v.copies() {
		properties = append(properties, property{"source", app.Text(v.Source)}, property{"image", app.Text(v.Image)}, property{"next", app.WordStep(v.again())})
	}
	var request launch.Request
	if json.Unmarshal(v.Request, &request) == nil {
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
