package app

import (
	"cmp"
	"context"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin"
	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/local/config"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
)

// Session is one command's way to Azure: what it works on, resolved once, and the client for it.
type Session struct {
	*azlin.Client

	Context config.Context // Name is empty: none is active
	Config  config.Config
	Method  string // what is signed in with
	User    string
}

// Destination is what a command works on, resolved once, before anybody has signed in.
type Destination struct {
	Context config.Context // empty: none is active
	Config  config.Config
	Options azlin.Options
	Auth    signin.Options
}

// Resolve finds the destination of the command: flag, environment, active context, configuration, Azure
// CLI. The context 'emulator' starts the emulator if need be.
func (a *App) Resolve(ctx context.Context) (Destination, error) {
	var d Destination
	err := a.Paths.Ensure()
	if err != nil {
		return d, err
	}
	settings, err := a.Settings()
	if err != nil {
		return d, err
	}
	d.Config, d.Context = settings.Config, settings.Context
	d.Options = azlin.Options{
		StateDir: a.Paths.Dir, AgentSocket: a.Env.SSHAuthSock, Context: d.Context.Name, Log: a.Log, ProxyCommand: proxyCommand(d.Context.Name),
		Launch: launch.Defaults{
			Size: d.Config.VMSize(), SSHSource: d.Config.SSHSource, KeyPath: filepath.Join(a.Paths.SSHDir, remote.DefaultKeyName),
		},
		Access:       a.lent(),
		Patience:     d.Config.OperationPatience(),
		SSHLimits:    sshLimits(d.Config),
		EchoServices: d.Config.EchoServices, Notifier: a.notifier(d.Config), SessionNames: d.Config.SessionNames, ReadOnly: d.Context.ReadOnly,
		Target: azure.Target{
			TenantID:       settings.TenantID.Text(),
			SubscriptionID: settings.SubscriptionID.Text(),
			ResourceGroup:  settings.ResourceGroup.Text(),
			Region:         settings.Region.Text(),
		},
	}
	if strings.EqualFold(d.Context.Cloud, config.EmulatorContext) {
		return d, a.useEmulator(ctx, &d.Options, &d.Auth)
	}
	if d.Options.Target.Cloud, err = azure.ByName(d.Context.Cloud); err != nil {
		return d, err
	}
	d.Options.Target.Cloud.CAFile = a.Env.CAFile
	d.Auth = a.environmentAuth(d.Options.Target)
	d.Auth.Cloud = d.Options.Target.Cloud
	return d, nil
}

// sshLimits are how long a VM may be silent.
func sshLimits(c config.Config) remote.Limits {
	d := c.SSHPatience()
	return remote.Limits{Connect: d, Handshake: d, KeepAlive: d}
}

// Open resolves the target of the command and makes the client for it.
func (a *App) Open(ctx context.Context) (*Session, error) {
	d, err := a.Resolve(ctx)
	if err != nil {
		return nil, err
	}
	authenticator, err := signin.NewAuthenticator(d.Auth)
	if err != nil {
		return nil, err
	}
	if d.Options.Credential, err = authenticator.Credential(); err != nil {
		return nil, err
	}
	if d.Options.Target.SubscriptionID, err = authenticator.SubscriptionID(); err != nil {
		return nil, err
	}
	who := authenticator.Identity()
	d.Options.User = who.UserName
	client, err := azlin.Open(d.Options) //nolint:contextcheck // the audit log is written even when the caller has given up
	if err != nil {
		return nil, err
	}
	return &Session{Client: client, Context: d.Context, Config: d.Config, Method: authenticator.Method(), User: who.UserName}, nil
}

// Settings reads the configuration and the contexts and resolves what is in effect. Keys that azlin does
// not know are kept, and told.
func (a *App) Settings() (config.Resolution, error) {
	r, err := a.Resolution()
	a.SayUnknown(r.Unknown)
	return r, err
}

func (a *App) Resolution() (config.Resolution, error) {
	c, err := config.Load(a.Paths.Config)
	if err != nil {
		return config.Resolution{}, err
	}
	all, err := config.LoadContexts(a.Paths.Contexts)
	if err != nil {
		return config.Resolution{}, err
	}
	return config.Resolve(config.Flags{Context: a.Flags.Context, ResourceGroup: a.Flags.Group}, a.Env, all, c)
}

// useEmulator points a command at the local emulator, which must be the only thing it can reach: the
// environment's credentials and subscription are for the real Azure.
func (a *App) useEmulator(ctx context.Context, options *azlin.Options, auth *signin.Options) error {
	status, err := a.StartEmulator(ctx, nil)
	if err != nil {
		return err
	}
	cloud, err := azure.Custom(config.EmulatorContext, status.Endpoint, status.Endpoint, "", status.CAFile)
	if err != nil {
		return err
	}
	options.Target.Cloud = cloud
	// A context in the emulator's cloud may name others, as one of Azure may; then it gets what Azure says to
	// a subscription that is not there.
	options.Target.TenantID = cmp.Or(options.Target.TenantID, status.TenantID)
	options.Target.SubscriptionID = cmp.Or(options.Target.SubscriptionID, status.SubscriptionID)
	options.SSHPort = status.SSHPort
	options.PriceService = status.Endpoint + "/api/retail/prices"
	options.EchoServices = []string{status.Endpoint + "/echo/ipv4/1", status.Endpoint + "/echo/ipv4/2"}
	*auth, err = a.emulatorAuth(options.Target, status)
	return err
}

// OpenVM opens Azure and finds the VM that name means.
func (a *App) OpenVM(cmd *cobra.Command, name string) (*Session, vm.Info, error) {
	s, err := a.Open(cmd.Context())
	if err != nil {
		return nil, vm.Info{}, err
	}
	match, err := s.VMs.Resolve(cmd.Context(), name, s.Azure.Target().ResourceGroup)
	return s, match.VM, err
}
