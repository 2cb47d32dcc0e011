package setup

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/config"
)

func newContextCommand(a Commands) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "context",
		Aliases: []string{"ctx"},
		Short:   "Switch between tenants and subscriptions",
		Long: `A context combines a cloud, tenant, subscription, resource group and region. Contexts are stored in contexts.toml in
azlin's directory; the Azure CLI's settings are not changed.

In a read-only context azlin refuses every change. In a protected context you must type the context's name before anything
is deleted. The context 'emulator' is built in.`,
		RunE: app.ShowGroup,
	}
	cmd.AddCommand(
		app.OneGroup(newContextCreateCommand(a)), newContextListCommand(a), newContextUseCommand(a), newContextCurrentCommand(a),
		newContextShowCommand(a), app.OneGroup(newContextSetCommand(a)), newContextRenameCommand(a), newContextDeleteCommand(a),
		newContextShellCommand(a),
	)
	return cmd
}

func (a Commands) contextFile() config.ContextFile {
	return config.ContextFile{Path: a.Paths.Contexts}
}

// contextFlags are the fields of a context, but for the group, whose flag every command has.
type contextFlags struct {
	cloud, tenant, subscription, region, description string
	protected, readOnly                              bool
}

func (f *contextFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.cloud, "cloud", "", "cloud: public, usgovernment, china or emulator")
	cmd.Flags().StringVar(&f.tenant, "tenant", "", "tenant id")
	cmd.Flags().StringVar(&f.subscription, "subscription", "", "subscription id")
	cmd.Flags().StringVar(&f.region, "region", "", "region of new VMs")
	cmd.Flags().StringVar(&f.description, "description", "", "description")
	cmd.Flags().BoolVar(&f.protected, "protected", false, "require typing the context's name before deleting")
	cmd.Flags().BoolVar(&f.readOnly, "read-only", false, "refuse every change")
	app.Complete(cmd, "cloud", config.Clouds())
}

func newContextCreateCommand(a Commands) *cobra.Command {
	var flags contextFlags
	var use bool
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a context",
		Example: `  azlin context create dev --subscription 11111111-1111-1111-1111-111111111111 -g team --region westeurope --use
  azlin context create prod --tenant 22222222-2222-2222-2222-222222222222 --subscription 33333333-3333-3333-3333-333333333333 --protected`,
		Args: app.Exactly(1, "one name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c := config.Context{
				Name: args[0], Cloud: flags.cloud, TenantID: flags.tenant, SubscriptionID: flags.subscription,
				ResourceGroup: a.Flags.Group, Region: flags.region, Description: flags.description,
				Protected: flags.protected, ReadOnly: flags.readOnly,
			}
			if err := a.contextFile().Create(cmd.Context(), c); err != nil {
				return err
			}
			if !use {
				return nil
			}
			return a.useContext(cmd, args[0])
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&use, "use", false, "make it the current context")
	return cmd
}

func newContextSetCommand(a Commands) *cobra.Command {
	var flags contextFlags
	cmd := &cobra.Command{
		Use:     "set NAME",
		Short:   "Change a context",
		Long:    "Changes the fields given as flags. An empty value removes a field.",
		Example: "  azlin context set dev --region northeurope -g other\n  azlin context set prod --read-only=false",
		Args:    app.Exactly(1, "one context"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var change config.ContextChange
			given := 0
			for name, field := range map[string]**string{
				"cloud": &change.Cloud, "tenant": &change.TenantID, "subscription": &change.SubscriptionID,
				"region": &change.Region, "description": &change.Description, "resource-group": &change.ResourceGroup,
			} {
				if f := cmd.Flags().Lookup(name); f.Changed {
					given++
					*field = new(f.Value.String())
				}
			}
			if cmd.Flags().Changed("protected") {
				change.Protected, given = &flags.protected, given+1
			}
			if cmd.Flags().Changed("read-only") {
				change.ReadOnly, given = &flags.readOnly, given+1
			}
			if given == 0 {
				return app.Usage(cmd, "say what to change, as --region westeurope")
			}
			return a.contextFile().Change(cmd.Context(), args[0], change)
		},
	}
	flags.add(cmd)
	return cmd
}

func newContextUseCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:     "use NAME",
		Short:   "Select the current context",
		Example: "  azlin context use prod",
		Args:    app.Exactly(1, "one context"),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.useContext(cmd, args[0]) },
	}
}

func (a Commands) useContext(cmd *cobra.Command, name string) error {
	if err := a.contextFile().Use(cmd.Context(), name); err != nil {
		return err
	}
	a.Say("the current context is " + name)
	if a.Env.Context != "" && a.Env.Context != name {
		a.Say("note: in this shell AZLIN_CONTEXT=" + a.Env.Context + " overrides it")
	}
	return nil
}

func newContextCurrentCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:   "current",
		Short: "Show the name of the active context",
		Long: `Shows the name of the active context: that of --context, of AZLIN_CONTEXT, or the current one. If there is none, the exit
code is 6.`,
		Example: "  azlin context current\n  azlin context current -o json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			r, err := a.Settings()
			if err != nil {
				return err
			}
			if r.Context.Name == "" {
				return errNoContext()
			}
			return a.printLines(struct {
				Name   string        `json:"name"`
				Origin config.Origin `json:"origin"`
			}{r.Context.Name, r.ActiveContext.Origin}, []string{r.Context.Name})
		},
	}
}

func errNoContext() error {
	return &errkind.Error{
		Kind: errkind.NotFound, Class: config.ErrContext,
		Err: fmt.Errorf("no context is active: azlin works in the Azure CLI's current subscription"), Next: app.Next("azlin context use NAME"),
	}
}

// contextView is the JSON of a context.
type contextView struct {
	Name           string  `json:"name"`
	Current        bool    `json:"current"`
	Cloud          string  `json:"cloud"`
	TenantID       *string `json:"tenant_id"`
	SubscriptionID *string `json:"subscription_id"`
	ResourceGroup  *string `json:"resource_group"`
	Region         *string `json:"region"`
	Description    *string `json:"description"`
	Protected      bool    `json:"protected"`
	ReadOnly       bool    `json:"read_only"`
}

func viewOfContext(c config.Context, current bool) contextView {
	cloud := c.Cloud
	if cloud == "" {
		cloud = config.Clouds()[0]
	}
	return contextView{
		Name: c.Name, Current: current, Cloud: cloud, TenantID: app.Known(c.TenantID), SubscriptionID: app.Known(c.SubscriptionID),
		ResourceGroup: app.Known(c.ResourceGroup), Region: app.Known(c.Region), Description: app.Known(c.Description),
		Protected: c.Protected, ReadOnly: c.ReadOnly,
	}
}

// flagText marks what is true.
func flagText(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func newContextListCommand(a Commands) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List contexts",
		Example: "  azlin context list\n  azlin context list -o tsv --query '[].name'",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			r, err := a.Settings()
			if err != nil {
				return err
			}
			all, err := a.contextFile().Load()
			if err != nil {
				return err
			}
			var views []contextView
			for _, c := range all.List() {
				views = append(views, viewOfContext(c, c.Name == r.Context.Name))
			}
			return a.Output.Print(term.View{
				Data: views,
				Grid: term.Rows(views, []term.Column[contextView]{
					{Name: "name", Value: func(c contextView) string { return c.Name }},
					{Name: "current", Value: func(c contextView) string { return map[bool]string{true: "*"}[c.Current] }},
					{Name: "cloud", Value: func(c contextView) string { return c.Cloud }},
					{Name: "subscription_id", Title: "subscription", Value: func(c contextView) string { return app.Text(c.SubscriptionID) }},
					{Name: "resource_group", Title: "group", Value: func(c contextView) string { return app.Text(c.ResourceGroup) }},
					{Name: "region", Value: func(c contextView) string { return app.Text(c.Region) }, Wide: true},
					{Name: "protected", Value: func(c contextView) string { return flagText(c.Protected) }},
					{Name: "read_only", Value: func(c contextView) string { return flagText(c.ReadOnly) }},
					{Name: "description", Value: func(c contextView) string { return app.Text(c.Description) }, Wide: true},
				}),
			})
		},
	}
	app.Listing[contextView](a.App, cmd)
	return cmd
}

func newContextShowCommand(a Commands) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "show [NAME]",
		Short:   "Show a context",
		Example: "  azlin context show\n  azlin context show prod -o json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			all, err := a.contextFile().Load()
			if err != nil {
				return err
			}
			r, err := a.Settings()
			if err != nil && len(args) == 0 {
				return err
			}
			c := r.Context
			if len(args) > 0 {
				if c, err = all.Get(args[0]); err != nil {
					return err
				}
			}
			if c.Name == "" {
				return errNoContext()
			}
			v := viewOfContext(c, c.Name == r.Context.Name)
			type property struct{ name, value string }
			properties := []property{
				{"name", v.Name},
				{"current", strconv.FormatBool(v.Current)},
				{"cloud", v.Cloud},
				{"tenant_id", app.Text(v.TenantID)},
				{"subscription_id", app.Text(v.SubscriptionID)},
				{"resource_group", app.Text(v.ResourceGroup)},
				{"region", app.Text(v.Region)},
				{"description", app.Text(v.Description)},
				{"protected", strconv.FormatBool(v.Protected)},
				{"read_only", strconv.FormatBool(v.ReadOnly)},
			}
			return a.Output.Print(term.View{Data: v, Grid: term.Rows(properties, []term.Column[property]{
				{Name: "property", Value: func(p property) string { return p.name }},
				{Name: "value", Value: func(p property) string { return p.value }},
			})})
		},
	}
	app.Fields[contextView](a.App, cmd)
	return cmd
}

func newContextRenameCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:     "rename NAME NEW-NAME",
		Short:   "Rename a context",
		Example: "  azlin context rename dev development",
		Args:    app.Exactly(2, "a context and its new name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.contextFile().Rename(cmd.Context(), args[0], args[1])
		},
	}
}

func newContextDeleteCommand(a Commands) *cobra.Command {
	var agreed app.Consent
	cmd := &cobra.Command{
		Use:     "delete NAME",
		Short:   "Delete a context",
		Long:    `Deletes a context from contexts.toml. Nothing in Azure changes. If it was the current context, none is current afterwards.`,
		Example: "  azlin context delete old --yes",
		Args:    app.Exactly(1, "one context"),
		RunE: func(cmd *cobra.Command, args []string) error {
			// A context whose own section is wrong can be deleted, too.
			var where config.Context
			if all, err := a.contextFile().Load(); err == nil {
				if where, err = all.Get(args[0]); err != nil {
					return err
				}
			}
			where.Name = args[0]
			if err := a.ConfirmIn(cmd.Context(), "Delete the context "+args[0]+"?", where, agreed); err != nil {
				return err
			}
			return a.contextFile().Delete(cmd.Context(), args[0])
		},
	}
	agreed.Add(cmd)
	return cmd
}
