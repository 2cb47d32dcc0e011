package azlin

import (
	"cmp"
	"context"
	"log/slog"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/local/config"
	"github.com/azlin-dev/azlin/local/notify"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/remote/repository"
)

// ContextOptions override the user's files and environment. The zero value overrides nothing.
type ContextOptions struct {
	Environ       []string // "KEY=value"; nil: this process's environment
	Context       string   // name of a context; empty: AZLIN_CONTEXT, then the current one
	ResourceGroup string   // empty: from the environment, else the context, else the configuration
	AllGroups     bool     // no resource group, overriding the environment, the context and the configuration

	// Emulator returns the address of the local emulator with this directory, and starts it if needed: see emulator.Start.
	// Nil: contexts of the emulator are refused.
	Emulator func(ctx context.Context, dir string) (EmulatorAddress, error)
	// ProxyCommand is Options.ProxyCommand in a context of this name; nil: none.
	ProxyCommand func(context, vmID, bastionID string) []string
	Log          *slog.Logger // nil: nothing is logged
}

// EmulatorAddress is how to reach and sign in to a running emulator.
type EmulatorAddress struct {
	Endpoint, CAFile           string
	TenantID, SubscriptionID   string
	ClientID, ClientSecretFile string // of its default service principal
	SSHPort                    int
}

// Destination is the resolved target and sign-in, before signing in.
type Destination struct {
	Settings config.Resolution
	Paths    config.Paths
	Options  Options
	Auth     signin.Options
}

// OpenContext opens a client for a user's context, as the command does: context, configuration, environment and sign-in come
// from the same sources (see docs/environment.md). It sends no request; the first request signs in. Its error is Auth when
// there is no way to sign in, and Invalid for an invalid file.
func OpenContext(ctx context.Context, o ContextOptions) (*Client, error) {
	d, err := ReadContext(ctx, o)
	if err != nil {
		return nil, err
	}
	client, _, err := d.Open() //nolint:contextcheck // the audit log is written even when the caller has given up
	return client, err
}

// ReadContext resolves the target of OpenContext.
func ReadContext(ctx context.Context, o ContextOptions) (Destination, error) {
	var d Destination
	environ := o.Environ
	if environ == nil {
		environ = config.Environ()
	}
	env := config.ReadEnvironment(environ)
	var err error
	if d.Paths, err = config.ResolvePaths(env); err != nil {
		return d, &errkind.Error{Kind: errkind.Prerequisite, Err: err}
	}
	if err := d.Paths.Ensure(); err != nil {
		return d, err
	}
	if d.Settings, err = readSettings(d.Paths, env, config.Flags{Context: o.Context, ResourceGroup: o.ResourceGroup, AllGroups: o.AllGroups}); err != nil {
		return d, err
	}
	d.Options = optionsOf(d.Settings, d.Paths, env)
	d.Options.Log = o.Log
	if o.ProxyCommand != nil {
		d.Options.ProxyCommand = func(vmID, bastionID string) []string {
			return o.ProxyCommand(d.Settings.Context.Name, vmID, bastionID)
		}
	}
	if strings.EqualFold(d.Settings.Context.Cloud, config.EmulatorContext) {
		return d, d.useEmulator(ctx, o)
	}
	if d.Options.Target.Cloud, err = azure.ByName(d.Settings.Context.Cloud); err != nil {
		return d, err
	}
	d.Options.Target.Cloud.CAFile = env.CAFile
	d.Auth = environmentAuth(d.Options.Target, d.Paths, env)
	return d, nil
}

// Open creates the client, and returns how it signs in: Options.Credential and User if set, else by Auth. It sends no
// request.
func (d Destination) Open() (*Client, *signin.Authenticator, error) {
	who, err := signin.NewAuthenticator(d.Auth)
	if err != nil {
		return nil, nil, err
	}
	o := d.Options
	if o.Credential == nil {
		if o.Credential, err = who.Credential(); err != nil {
			return nil, nil, err
		}
	}
	if o.Target.SubscriptionID == "" {
		if o.Target.SubscriptionID, err = who.SubscriptionID(); err != nil {
			return nil, nil, err
		}
	}
	o.User = cmp.Or(o.User, who.Identity().UserName)
	client, err := Open(o)
	return client, who, err
}

func readSettings(paths config.Paths, env config.Environment, flags config.Flags) (config.Resolution, error) {
	c, err := config.Load(paths.Config)
	if err != nil {
		return config.Resolution{}, err
	}
	all, err := config.LoadContexts(paths.Contexts)
	if err != nil {
		return config.Resolution{}, err
	}
	return config.Resolve(flags, env, all, c)
}

// optionsOf returns the options from the user's files and environment, without the cloud.
func optionsOf(r config.Resolution, paths config.Paths, env config.Environment) Options {
	silence := r.Config.SSHPatience()
	return Options{
		StateDir: paths.Dir, AgentSocket: env.SSHAuthSock, Context: r.Context.Name,
		Launch: launch.Defaults{
			Size: r.Config.VMSize(), SSHSource: r.Config.SSHSource, KeyPath: filepath.Join(paths.SSHDir, keypair.DefaultKeyName),
		},
		Access:       lent(paths, env),
		Patience:     r.Config.OperationPatience(),
		SSHLimits:    remote.Limits{Connect: silence, Handshake: silence, KeepAlive: silence},
		EchoServices: r.Config.EchoServices, Notifier: notifier(r.Config, env), SessionNames: r.Config.SessionNames, ReadOnly: r.Context.ReadOnly,
		Target: azure.Target{
			TenantID:       r.TenantID.Text(),
			SubscriptionID: r.SubscriptionID.Text(),
			ResourceGroup:  r.ResourceGroup.Text(),
			Region:         r.Region.Text(),
		},
	}
}

// lent is what a clone may use of this machine's credentials.
func lent(paths config.Paths, env config.Environment) repository.Access {
	access := repository.Access{Agent: env.SSHAuthSock != ""}
	for _, name := range []string{"known_hosts", "known_hosts2"} {
		access.KnownHosts = append(access.KnownHosts, filepath.Join(paths.SSHDir, name))
	}
	access.KnownHosts = append(access.KnownHosts, "/etc/ssh/ssh_known_hosts")
	if gh, err := exec.LookPath("gh"); err == nil {
		access.GitHubCLI = gh
	}
	return access
}

// notifier is the user's configured way of notification.
func notifier(c config.Config, env config.Environment) *notify.Notifier {
	n := notify.Config{
		Command: c.Notifier(), URL: c.NotificationWebhook, Headless: runtime.GOOS == "linux" && env.Display == "",
	}
	for _, channel := range c.NotificationChannels {
		n.Channels = append(n.Channels, notify.Channel(channel))
	}
	return notify.New(n)
}

// environmentAuth is the sign-in offered by the environment and the Azure CLI.
func environmentAuth(target azure.Target, paths config.Paths, env config.Environment) signin.Options {
	auth := signin.Options{
		Cloud: target.Cloud, TenantID: target.TenantID, SubscriptionID: target.SubscriptionID, CacheDir: paths.Tokens,
		ClientID: env.ClientID, ClientSecret: env.ClientSecret,
		CertificateFile: env.Certificate, CertificatePassword: env.CertificatePass,
		FederatedTokenFile: env.FederatedToken, IdentityEndpoint: env.IdentityEndpoint,
	}
	if paths.AzureDir != "" {
		auth.ProfileFile = filepath.Join(paths.AzureDir, "azureProfile.json")
	}
	return auth
}

// useEmulator points everything at the local emulator. Nothing else may be reachable then, so the environment's credentials
// and subscription are ignored: they are for the real Azure.
func (d *Destination) useEmulator(ctx context.Context, o ContextOptions) error {
	if o.Emulator == nil {
		return errkind.New(errkind.Invalid, "the context %s is in the local emulator, which this program does not start", d.Settings.Context.Name)
	}
	at, err := o.Emulator(ctx, d.Paths.Emulator)
	if err != nil {
		return err
	}
	cloud, err := azure.Custom(config.EmulatorContext, at.Endpoint, at.Endpoint, "", at.CAFile)
	if err != nil {
		return err
	}
	target := &d.Options.Target
	target.Cloud = cloud
	// A context in the emulator's cloud may set other ids; then it gets the emulator's answer for an absent subscription.
	target.TenantID = cmp.Or(target.TenantID, at.TenantID)
	target.SubscriptionID = cmp.Or(target.SubscriptionID, at.SubscriptionID)
	d.Options.SSHPort = at.SSHPort
	d.Options.PriceService = at.Endpoint + "/api/retail/prices"
	d.Options.EchoServices = []string{at.Endpoint + "/echo/ipv4/1", at.Endpoint + "/echo/ipv4/2"}
	// A stored sign-in takes precedence over the emulator's default service principal.
	d.Auth = signin.Options{Cloud: cloud, TenantID: target.TenantID, SubscriptionID: target.SubscriptionID, CacheDir: d.Paths.Tokens}
	remembered, err := signin.NewAuthenticator(d.Auth)
	if err != nil || remembered.Kind() != "" {
		return err
	}
	d.Auth.ClientID, d.Auth.ClientSecretFile, d.Auth.Source = at.ClientID, at.ClientSecretFile, "emulator"
	return nil
}
