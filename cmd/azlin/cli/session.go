package cli

import (
	"cmp"
	"context"
	"path/filepath"
	"strings"

	"github.com/azlin-dev/azlin"
	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/local/config"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
	"github.com/spf13/cobra"
)

// session is one command's way to Azure: what it works on, resolved once, and the client for it.
type session struct {
	*azlin.Client

	context config.Context // Name is empty: none is active
	config  config.Config
	method  string // what is signed in with
	user    string
}

// destination is what a command works on, resolved once, before anybody has signed in.
type destination struct {
	context config.Context // empty: none is active
	config  config.Config
	options azlin.Options
	auth    signin.Options
}

// resolve finds the destination of the command: flag, environment, active context, configuration, Azure
// CLI. The context 'emulator' starts the emulator if need be.
func (a *app) resolve(ctx context.Context) (destination, error) {
	var d destination
	err := a.paths.Ensure()
	if err != nil {
		return d, err
	}
	settings, err := a.settings()
	if err != nil {
		return d, err
	}
	d.config, d.context = settings.Config, settings.Context
	d.options = azlin.Options{
		StateDir: a.paths.Dir, AgentSocket: a.env.SSHAuthSock, Context: d.context.Name, Log: a.log, ProxyCommand: proxyCommand(d.context.Name),
		Launch: launch.Defaults{
			Size: d.config.VMSize(), SSHSource: d.config.SSHSource, KeyPath: filepath.Join(a.paths.SSHDir, remote.DefaultKeyName),
		},
		Access:       a.lent(),
		Patience:     d.config.OperationPatience(),
		SSHLimits:    sshLimits(d.config),
		EchoServices: d.config.EchoServices, Notifier: a.notifier(d.config), SessionNames: d.config.SessionNames, ReadOnly: d.context.ReadOnly,
		Target: azure.Target{
			TenantID:       settings.TenantID.Text(),
			SubscriptionID: settings.SubscriptionID.Text(),
			ResourceGroup:  settings.ResourceGroup.Text(),
			Region:         settings.Region.Text(),
		},
	}
	if strings.EqualFold(d.context.Cloud, config.EmulatorContext) {
		return d, a.useEmulator(ctx, &d.options, &d.auth)
	}
	if d.options.Target.Cloud, err = azure.ByName(d.context.Cloud); err != nil {
		return d, err
	}
	d.options.Target.Cloud.CAFile = a.env.CAFile
	d.auth = a.environmentAuth(d.options.Target)
	d.auth.Cloud = d.options.Target.Cloud
	return d, nil
}

// sshLimits are how long a VM may be silent.
func sshLimits(c config.Config) remote.Limits {
	d := c.SSHPatience()
	return remote.Limits{Connect: d, Handshake: d, KeepAlive: d}
}

// open resolves the target of the command and makes the client for it.
func (a *app) open(ctx context.Context) (*session, error) {
	d, err := a.resolve(ctx)
	if err != nil {
		return nil, err
	}
	authenticator, err := signin.NewAuthenticator(d.auth)
	if err != nil {
		return nil, err
	}
	if d.options.Credential, err = authenticator.Credential(); err != nil {
		return nil, err
	}
	if d.options.Target.SubscriptionID, err = authenticator.SubscriptionID(); err != nil {
		return nil, err
	}
	who := authenticator.Identity()
	d.options.User = who.UserName
	client, err := azlin.Open(d.options) //nolint:contextcheck // the audit log is written even when the caller has given up
	if err != nil {
		return nil, err
	}
	return &session{Client: client, context: d.context, config: d.config, method: authenticator.Method(), user: who.UserName}, nil
}

// settings reads the configuration and the contexts and resolves what is in effect. Keys that azlin does
// not know are kept, and told.
func (a *app) settings() (config.Resolution, error) {
	r, err := a.resolution()
	a.sayUnknown(r.Unknown)
	return r, err
}

func (a *app) resolution() (config.Resolution, error) {
	c, err := config.Load(a.paths.Config)
	if err != nil {
		return config.Resolution{}, err
	}
	all, err := config.LoadContexts(a.paths.Contexts)
	if err != nil {
		return config.Resolution{}, err
	}
	return config.Resolve(config.Flags{Context: a.flags.context, ResourceGroup: a.flags.group}, a.env, all, c)
}

// useEmulator points a command at the local emulator, which must be the only thing it can reach: the
// environment's credentials and subscription are for the real Azure.
func (a *app) useEmulator(ctx context.Context, options *azlin.Options, auth *signin.Options) error {
	status, err := a.startEmulator(ctx, nil)
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

// openVM opens Azure and finds the VM that name means.
func (a *app) openVM(cmd *cobra.Command, name string) (*session, vm.Info, error) {
	s, err := a.open(cmd.Context())
	if err != nil {
		return nil, vm.Info{}, err
	}
	match, err := s.VMs.Resolve(cmd.Context(), name, s.Azure.Target().ResourceGroup)
	return s, match.VM, err
}
