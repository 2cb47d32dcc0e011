package cli

import (
	"cmp"
	"context"
	"path/filepath"

	"github.com/azlin-dev/azlin"
	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/config"
)

// session is one command's way to Azure: what it works on, resolved once, and the client for it.
type session struct {
	*azlin.Client

	context string // empty: none is active
	config  config.Config
	method  string // what is signed in with
	user    string
}

// open resolves the target of the command (flag, environment, active context, configuration, Azure CLI)
// and makes the client for it. The context 'emulator' starts the emulator if need be.
func (a *app) open(ctx context.Context) (*session, error) {
	if err := a.paths.Ensure(); err != nil {
		return nil, err
	}
	settings, err := config.Load(a.paths.Config)
	if err != nil {
		return nil, err
	}
	place, err := a.activeContext()
	if err != nil {
		return nil, err
	}
	options := azlin.Options{
		StateDir: a.paths.Dir, AgentSocket: a.env.SSHAuthSock, Context: place.Name, Log: a.log,
		EchoServices: settings.EchoServices,
		Target: azure.Target{
			TenantID:       cmp.Or(place.TenantID, a.env.TenantID),
			SubscriptionID: cmp.Or(place.SubscriptionID, a.env.SubscriptionID),
			ResourceGroup:  cmp.Or(a.flags.group, a.env.ResourceGroup, place.ResourceGroup, settings.DefaultResourceGroup),
			Region:         cmp.Or(place.Region, settings.Region()),
		},
	}
	auth := azure.AuthOptions{
		TenantID: options.Target.TenantID, SubscriptionID: options.Target.SubscriptionID,
		ClientID: a.env.ClientID, ClientSecret: a.env.ClientSecret, CacheDir: a.paths.Tokens,
	}
	if place.Cloud == config.EmulatorContext {
		err = a.useEmulator(ctx, &options, &auth)
	} else {
		if a.paths.AzureDir != "" {
			auth.ProfileFile = filepath.Join(a.paths.AzureDir, "azureProfile.json")
		}
		options.Target.Cloud, err = azure.ByName(place.Cloud)
		auth.Cloud = options.Target.Cloud
	}
	if err != nil {
		return nil, err
	}
	authenticator, err := azure.NewAuthenticator(auth)
	if err != nil {
		return nil, err
	}
	if options.Credential, err = authenticator.Credential(); err != nil {
		return nil, err
	}
	if options.Target.SubscriptionID, err = authenticator.SubscriptionID(); err != nil {
		return nil, err
	}
	who := authenticator.Identity()
	options.User = who.UserName
	client, err := azlin.Open(options)
	if err != nil {
		return nil, err
	}
	return &session{Client: client, context: place.Name, config: settings, method: authenticator.Method(), user: who.UserName}, nil
}

// activeContext is the one named by flag or environment, else the current one; without any it is empty,
// which means the Azure CLI's current subscription.
func (a *app) activeContext() (config.Context, error) {
	all, err := config.LoadContexts(a.paths.Contexts)
	if err != nil {
		return config.Context{}, err
	}
	name := cmp.Or(a.flags.context, a.env.Context, all.Current)
	if name == "" {
		return config.Context{}, nil
	}
	return all.Get(name)
}

// useEmulator points a command at the local emulator, which must be the only thing it can reach: the
// environment's credentials and subscription are for the real Azure.
func (a *app) useEmulator(ctx context.Context, options *azlin.Options, auth *azure.AuthOptions) error {
	status, err := a.startEmulator(ctx, nil)
	if err != nil {
		return err
	}
	cloud, err := azure.Custom(config.EmulatorContext, status.Endpoint, status.Endpoint, "", status.CAFile)
	if err != nil {
		return err
	}
	options.Target.Cloud, options.Target.TenantID = cloud, status.TenantID
	options.Target.SubscriptionID = status.SubscriptionID
	options.SSHPort = status.SSHPort
	options.EchoServices = []string{status.Endpoint + "/echo/ipv4/1", status.Endpoint + "/echo/ipv4/2"}
	*auth = azure.AuthOptions{
		Cloud: cloud, TenantID: status.TenantID, SubscriptionID: status.SubscriptionID,
		ClientID: status.ClientID, ClientSecretFile: status.ClientSecretFile, CacheDir: a.paths.Tokens,
	}
	return nil
}
