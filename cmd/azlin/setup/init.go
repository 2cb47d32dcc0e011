package setup

import (
	"cmp"
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin"
	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/config"
)

type initFlags struct {
	subscription, group, region, size, name string
}

func newInitCommand(a Commands) *cobra.Command {
	var flags initFlags
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Set up azlin",
		Long: `Asks for the subscription, resource group, region and size, checks them, and stores them as the current context and as the
defaults of new VMs. Every question has a flag; if all are given, or there is only one subscription, no terminal is
needed.

Sign in first, with 'az login' or with a service principal in the environment. You can run init again to change the
answers.`,
		Example: `  azlin init
  azlin init --subscription Production --group team --region westeurope --size Standard_D4s_v5
  azlin --context emulator init`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.init(cmd.Context(), flags) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.subscription, "subscription", "", "subscription, by name or id")
	f.StringVar(&flags.group, "group", "", "resource group of new VMs (default: "+config.DefaultResourceGroup+")")
	f.StringVar(&flags.region, "region", "", "region of new VMs (default: "+config.DefaultRegion+")")
	f.StringVar(&flags.size, "size", "", "size of new VMs (default: "+config.DefaultVMSize+")")
	f.StringVar(&flags.name, "name", "default", "name of the context")
	return cmd
}

// initView is the JSON of what was set up.
type initView struct {
	Context        string `json:"context"`
	SubscriptionID string `json:"subscription_id"`
	TenantID       string `json:"tenant_id"`
	ResourceGroup  string `json:"resource_group"`
	Region         string `json:"region"`
	VMSize         string `json:"vm_size"`
}

func (a Commands) init(ctx context.Context, flags initFlags) error {
	d, err := a.Resolve(ctx)
	if err != nil {
		return err
	}
	auth, err := signin.NewAuthenticator(d.Auth)
	if err != nil {
		return err
	}
	credential, err := auth.Credential()
	if err != nil {
		return err
	}
	subscription, err := a.chooseSubscription(ctx, flags.subscription, func() ([]signin.Subscription, error) {
		return signin.Subscriptions(ctx, azure.Options{Target: d.Options.Target, Credential: credential, HTTP: d.Options.HTTP, Log: a.Log})
	})
	if err != nil {
		return err
	}
	if d.Settings.Context.Name == config.EmulatorContext && flags.name == "default" {
		flags.name = config.EmulatorContext
	}
	v := initView{SubscriptionID: subscription.ID, TenantID: subscription.TenantID}
	for _, q := range []struct {
		answer                     *string
		question, given, else_, by string
	}{
		{&v.ResourceGroup, "Resource group for new VMs", flags.group, cmp.Or(d.Options.Target.ResourceGroup, config.DefaultResourceGroup), "--group"},
		{&v.Region, "Region", flags.region, cmp.Or(d.Options.Target.Region, config.DefaultRegion), "--region"},
		{&v.VMSize, "VM size", flags.size, d.Settings.Config.VMSize(), "--size"},
	} {
		if *q.answer, err = a.answer(ctx, q.question, q.given, q.else_, q.by); err != nil {
			return err
		}
	}
	d.Options.Target.SubscriptionID, d.Options.Target.TenantID = v.SubscriptionID, v.TenantID
	if err := a.checkSize(ctx, d, credential, v); err != nil {
		return err
	}
	if v.Context, err = a.writeInit(ctx, d, flags.name, v); err != nil {
		return err
	}
	a.Say("next: azlin new --name dev")
	return a.Output.Print(term.View{Data: v, Grid: term.Rows([]initView{v}, []term.Column[initView]{
		{Name: "context", Value: func(v initView) string { return v.Context }},
		{Name: "subscription", Value: func(v initView) string { return v.SubscriptionID }},
		{Name: "group", Value: func(v initView) string { return v.ResourceGroup }},
		{Name: "region", Value: func(v initView) string { return v.Region }},
		{Name: "size", Value: func(v initView) string { return v.VMSize }},
	})})
}

// answer is what the flag gave, else what a person says, else the proposal where there is nobody to ask.
func (a Commands) answer(ctx context.Context, question, given, proposal, flag string) (string, error) {
	if given != "" || !a.Streams.InTTY {
		return cmp.Or(given, proposal), nil
	}
	return a.Streams.Ask(ctx, question, proposal, flag)
}

// chooseSubscription finds the subscription that was named, or the only one, or asks.
func (a Commands) chooseSubscription(ctx context.Context, named string, list func() ([]signin.Subscription, error)) (signin.Subscription, error) {
	all, err := list()
	if err != nil {
		return signin.Subscription{}, err
	}
	var usable []signin.Subscription
	var names []string
	for _, s := range all {
		if s.State != "Enabled" && s.State != "Warned" && s.State != "PastDue" {
			continue
		}
		if named == "" || strings.EqualFold(s.ID, named) || strings.EqualFold(s.Name, named) {
			usable, names = append(usable, s), append(names, s.Name+"  "+s.ID)
		}
	}
	switch {
	case len(usable) == 0 && named != "":
		return signin.Subscription{}, errkind.New(errkind.NotFound, "there is no usable subscription %q for this sign-in", named)
	case len(usable) == 0:
		return signin.Subscription{}, errkind.New(errkind.Permission, "this sign-in may use no subscription")
	case len(usable) == 1:
		return usable[0], nil
	case !a.Streams.InTTY:
		return signin.Subscription{}, errkind.New(errkind.Invalid, "there are several subscriptions; name one with --subscription: %s", strings.Join(names, ", "))
	}
	n, err := a.Streams.Choose(ctx, "Subscription", names, "--subscription")
	if err != nil {
		return signin.Subscription{}, err
	}
	return usable[n], nil
}

// checkSize asks Azure whether the region exists and offers the size to this subscription.
func (a Commands) checkSize(ctx context.Context, d azlin.Destination, credential azcore.TokenCredential, v initView) error {
	d.Options.Credential = credential
	client, err := azlin.Open(d.Options) //nolint:contextcheck // the audit log is written even when the caller has given up
	if err != nil {
		return err
	}
	size, err := client.Catalog.Size(ctx, v.Region, v.VMSize)
	if err != nil {
		return err
	}
	return size.Check("")
}

// writeInit writes the defaults and the context and makes that the current one. The built-in context needs
// none; one of that name that exists is changed.
func (a Commands) writeInit(ctx context.Context, d azlin.Destination, name string, v initView) (string, error) {
	err := a.ConfigFile().Update(ctx, func(c *config.Config) error {
		c.DefaultResourceGroup, c.DefaultRegion, c.DefaultVMSize = v.ResourceGroup, v.Region, v.VMSize
		return nil
	})
	if err != nil {
		return "", err
	}
	contexts := a.contextFile()
	if name != config.EmulatorContext {
		c := config.Context{
			Name: name, Cloud: d.Settings.Context.Cloud, TenantID: v.TenantID, SubscriptionID: v.SubscriptionID,
			ResourceGroup: v.ResourceGroup, Region: v.Region,
		}
		err := contexts.Create(ctx, c)
		if errkind.Of(err) == errkind.Conflict {
			err = contexts.Change(ctx, name, config.ContextChange{
				TenantID: &c.TenantID, SubscriptionID: &c.SubscriptionID, ResourceGroup: &c.ResourceGroup, Region: &c.Region,
			})
		}
		if err != nil {
			return "", err
		}
	}
	return name, contexts.Use(ctx, name)
}
