package app

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/local/config"
	"github.com/azlin-dev/azlin/local/names"
	"github.com/azlin-dev/azlin/vm"
)

// Session is one command's way to Azure: what it works on, resolved once, and the client for it.
type Session struct {
	*azlin.Client

	Context config.Context // Name is empty: none is active
	Config  config.Config
	Method  string // what is signed in with
	User    string
	Names   names.Cache // for completion

	group config.Setting // that everything is limited to

	idle func(context.Context, []vm.Info) (map[string]bool, error)
}

// Resolve finds what the command works on: flag, environment, active context, configuration, Azure CLI. The context
// 'emulator' starts the emulator if need be.
func (a *App) Resolve(ctx context.Context) (azlin.Destination, error) {
	d, err := a.resolve(ctx, func(ctx context.Context) (emulator.Status, error) { return a.StartEmulator(ctx, nil) })
	a.SayUnknown(d.Settings.Unknown)
	return d, err
}

func (a *App) resolve(ctx context.Context, running func(context.Context) (emulator.Status, error)) (azlin.Destination, error) {
	return azlin.ReadContext(ctx, azlin.ContextOptions{
		Environ: a.Environ, Context: a.Flags.Context, ResourceGroup: a.Flags.Group, AllGroups: a.Flags.AllGroups, ProxyCommand: proxyCommand, Log: a.Log,
		Emulator: func(ctx context.Context, _ string) (azlin.EmulatorAddress, error) {
			s, err := running(ctx)
			return azlin.EmulatorAddress{
				Endpoint: s.Endpoint, CAFile: s.CAFile, TenantID: s.TenantID, SubscriptionID: s.SubscriptionID,
				ClientID: s.ClientID, ClientSecretFile: s.ClientSecretFile, SSHPort: s.SSHPort,
			}, err
		},
	})
}

// Open resolves the target of the command and makes the client for it.
func (a *App) Open(ctx context.Context) (*Session, error) {
	d, err := a.Resolve(ctx)
	if err != nil {
		return nil, err
	}
	return a.openAt(d) //nolint:contextcheck // the audit log is written even when the caller has given up
}

// OpenQuietly is Open for what works beside the command, such as the completion of a name: it says nothing and starts no
// emulator.
func (a *App) OpenQuietly(ctx context.Context) (*Session, error) {
	d, err := a.resolve(ctx, func(ctx context.Context) (emulator.Status, error) { return emulator.Read(ctx, a.Paths.Emulator) })
	if err != nil {
		return nil, err
	}
	d.Options.Log = slog.New(slog.DiscardHandler)
	return a.openAt(d) //nolint:contextcheck // the audit log is written even when the caller has given up
}

func (a *App) openAt(d azlin.Destination) (*Session, error) {
	known := a.Names(d.Settings)
	d.Options.Listed = func(all []vm.Info) { known.Keep(VMNames, namesOfVMs(all), !a.changes) }
	d.Options.Working = a.Working
	client, who, err := d.Open()
	if err != nil {
		return nil, err
	}
	s := &Session{Client: client, Context: d.Settings.Context, Config: d.Settings.Config, Method: who.Method(), User: who.Identity().UserName, Names: known, group: d.Settings.ResourceGroup}
	s.idle = idleIn(s, a.KeyPath(""))
	return s, nil
}

// Settings is Resolution, and says which keys azlin does not know.
func (a *App) Settings() (config.Resolution, error) {
	r, err := a.Resolution()
	a.SayUnknown(r.Unknown)
	return r, err
}

// Resolution reads the configuration and the contexts and resolves what is in effect. It sends nothing.
func (a *App) Resolution() (config.Resolution, error) {
	c, err := config.Load(a.Paths.Config)
	if err != nil {
		return config.Resolution{}, err
	}
	all, err := config.LoadContexts(a.Paths.Contexts)
	if err != nil {
		return config.Resolution{}, err
	}
	return config.Resolve(config.Flags{Context: a.Flags.Context, ResourceGroup: a.Flags.Group, AllGroups: a.Flags.AllGroups}, a.Env, all, c)
}

// OpenToChange is Open for a command that changes something in any case. A read-only context refuses it before anything is
// sent.
func (a *App) OpenToChange(ctx context.Context) (*Session, error) {
	if err := a.MayChange(); err != nil {
		return nil, err
	}
	return a.Open(ctx)
}

// OpenVM opens Azure and finds the VM that name means.
func (a *App) OpenVM(cmd *cobra.Command, name string) (*Session, vm.Info, error) {
	s, err := a.Open(cmd.Context())
	if err != nil {
		return nil, vm.Info{}, err
	}
	match, err := s.Find(cmd.Context(), name)
	return s, match.VM, err
}
