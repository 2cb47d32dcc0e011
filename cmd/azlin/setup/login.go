package setup

import (
	"cmp"
	"context"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
)

// loginFlags say how to sign in.
type loginFlags struct {
	device, principal, managed bool
	tenant, client             string
	secretFile, certificate    string
	federated                  string
}

func newLoginCommand(a Commands) *cobra.Command {
	var flags loginFlags
	cmd := &cobra.Command{
		Use:   "login",
		Short: "Sign in to Azure",
		Long: `Signs in to Azure and remembers the method, so later commands use it until 'azlin logout'.

Without flags, azlin checks the methods that are set up already (the environment, an earlier azlin login, the Azure CLI's
session), and asks you to sign in with a device code if there is none. The environment takes precedence over a remembered
sign-in, which takes precedence over the Azure CLI. 'azlin auth status' shows which one is used.

A service principal's secret is read from --secret-file (- is standard input), from AZURE_CLIENT_SECRET, or from the
terminal. azlin remembers the file's name; a secret from elsewhere is stored in a file of mode 0600.`,
		Example: `  azlin login --device-code
  azlin login --service-principal --client-id APP --tenant TENANT --secret-file ./secret
  azlin login --client-id APP --tenant TENANT --certificate ./app.pem
  azlin login --managed-identity`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.login(cmd, flags) },
	}
	f := cmd.Flags()
	f.BoolVar(&flags.device, "device-code", false, "sign in with a browser, on any device")
	f.BoolVar(&flags.principal, "service-principal", false, "sign in as an application")
	f.BoolVar(&flags.managed, "managed-identity", false, "sign in as the Azure resource that azlin runs on")
	f.StringVar(&flags.tenant, "tenant", "", "tenant to sign in to (default: the context's, or AZURE_TENANT_ID)")
	f.StringVar(&flags.client, "client-id", "", "id of the application or user-assigned managed identity (default: AZURE_CLIENT_ID)")
	f.StringVar(&flags.secretFile, "secret-file", "", "file with the application's secret (-: standard input)")
	f.StringVar(&flags.certificate, "certificate", "", "file with the application's certificate and key, PEM or PKCS #12")
	f.StringVar(&flags.federated, "federated-token-file", "", "file with a token from an issuer that the application trusts")
	return cmd
}

// check refuses flags that name two ways to sign in.
func (f loginFlags) check(cmd *cobra.Command) error {
	var ways []string
	for _, w := range []struct {
		name string
		set  bool
	}{
		{"--device-code", f.device},
		{"--managed-identity", f.managed},
		{"--secret-file", f.secretFile != ""},
		{"--certificate", f.certificate != ""},
		{"--federated-token-file", f.federated != ""},
		{"--service-principal", f.principal && (f.device || f.managed)},
	} {
		if w.set {
			ways = append(ways, w.name)
		}
	}
	switch {
	case len(ways) > 1:
		return app.Usage(cmd, "%s are different ways to sign in", strings.Join(ways, " and "))
	case f.client != "" && (f.device || f.kind() == ""):
		return app.Usage(cmd, "--client-id goes with --service-principal, --secret-file, --certificate, --federated-token-file or --managed-identity")
	}
	return nil
}

// kind is the way to sign in that the flags name; empty when they name none.
func (f loginFlags) kind() signin.Kind {
	switch {
	case f.device:
		return signin.DeviceCode
	case f.managed:
		return signin.ManagedIdentity
	case f.certificate != "":
		return signin.ClientCertificate
	case f.federated != "":
		return signin.WorkloadIdentity
	case f.principal, f.secretFile != "":
		return signin.ClientSecret
	}
	return ""
}

// signInView is the JSON of a sign-in.
type signInView struct {
	Method         string      `json:"method"`
	Kind           signin.Kind `json:"kind"`
	UserName       string      `json:"user_name"`
	TenantID       string      `json:"tenant_id"`
	SubscriptionID *string     `json:"subscription_id"`
	Remembered     bool        `json:"remembered"`
}

func (a Commands) login(cmd *cobra.Command, flags loginFlags) error {
	if err := flags.check(cmd); err != nil {
		return err
	}
	ctx := cmd.Context()
	d, err := a.Resolve(ctx)
	if err != nil {
		return err
	}
	d.Auth.TenantID = cmp.Or(flags.tenant, d.Auth.TenantID)
	kind := flags.kind()
	if kind == "" {
		auth, err := signin.NewAuthenticator(d.Auth)
		if err != nil {
			return err
		}
		if auth.Kind() != "" {
			who, err := auth.Authenticate(ctx)
			if err != nil {
				return err
			}
			return a.showSignIn(auth, who, false)
		}
		kind = signin.DeviceCode
	}
	o := signin.LoginOptions{Kind: kind, Prompt: a.promptDevice, Options: signin.Options{
		Cloud: d.Auth.Cloud, TenantID: d.Auth.TenantID, SubscriptionID: d.Auth.SubscriptionID, CacheDir: a.Paths.Tokens,
		ClientID: cmp.Or(flags.client, a.Env.ClientID), HTTP: d.Auth.HTTP,
	}}
	if kind == signin.DeviceCode {
		o.ClientID = ""
	}
	if err := a.loginFiles(ctx, flags, &o); err != nil {
		return err
	}
	auth, who, err := signin.Login(ctx, o)
	if err != nil {
		return err
	}
	a.sayOvershadowed(d.Auth)
	return a.showSignIn(auth, who, true)
}

// loginFiles finds what proves who the application is. Names of files are made absolute: they are
// remembered.
func (a Commands) loginFiles(ctx context.Context, flags loginFlags, o *signin.LoginOptions) (err error) {
	absolute := func(name string) string {
		if name == "" || err != nil {
			return name
		}
		name, err = filepath.Abs(name)
		return name
	}
	switch o.Kind {
	case signin.ClientCertificate:
		o.CertificateFile, o.CertificatePassword = absolute(flags.certificate), a.Env.CertificatePass
	case signin.WorkloadIdentity:
		o.FederatedTokenFile = absolute(flags.federated)
	case signin.ClientSecret:
		switch {
		case flags.secretFile == "-":
			data, rerr := io.ReadAll(io.LimitReader(a.Streams.In, 64<<10))
			o.ClientSecret, err = strings.TrimSpace(string(data)), rerr
		case flags.secretFile != "":
			o.ClientSecretFile = absolute(flags.secretFile)
		case a.Env.ClientSecret != "":
			o.ClientSecret = a.Env.ClientSecret
		default:
			o.ClientSecret, err = a.Streams.Secret(ctx, "Client secret", "--secret-file or AZURE_CLIENT_SECRET")
		}
		if err == nil && o.ClientSecret == "" && o.ClientSecretFile == "" {
			err = errkind.New(errkind.Invalid, "the client secret is empty")
		}
	}
	return err
}

// promptDevice tells a person what to do. It is talk, not a result.
func (a Commands) promptDevice(p signin.DevicePrompt) { a.Say(p.Message) }

// sayOvershadowed says when something else than what was just remembered will be used.
func (a Commands) sayOvershadowed(o signin.Options) {
	if o.Source != "" {
		o.ClientID, o.ClientSecretFile = "", "" // the emulator's own, which comes last
	}
	auth, err := signin.NewAuthenticator(o)
	if err != nil {
		a.Say("note: " + err.Error())
		return
	}
	for _, c := range auth.Choices() {
		if c.Chosen && c.Source != "azlin login" {
			a.Say("note: the " + c.Source + " takes precedence over this sign-in: " + c.Reason)
		}
	}
}

func (a Commands) showSignIn(auth *signin.Authenticator, who signin.Credentials, remembered bool) error {
	v := signInView{
		Method: auth.Method(), Kind: auth.Kind(), UserName: who.UserName, TenantID: who.TenantID,
		SubscriptionID: app.Known(who.SubscriptionID), Remembered: remembered,
	}
	view := term.View{Data: v, Grid: term.Rows([]signInView{v}, []term.Column[signInView]{
		{Name: "user", Value: func(v signInView) string { return v.UserName }},
		{Name: "method", Value: func(v signInView) string { return v.Method }},
		{Name: "tenant", Value: func(v signInView) string { return v.TenantID }},
		{Name: "subscription", Value: func(signInView) string { return who.SubscriptionID }},
	})}
	if v.SubscriptionID == nil {
		view.Note = "no subscription is chosen yet: azlin init"
	}
	return a.Output.Print(view)
}

func newLogoutCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:   "logout",
		Short: "Sign out of Azure",
		Long: `Deletes remembered sign-ins in all clouds and all cached tokens. The Azure CLI's session is not affected; use 'az logout'
for that. No requests are sent; issued tokens expire within about an hour.`,
		Example: "  azlin logout",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := signin.Logout(cmd.Context(), a.Paths.Tokens)
			if err != nil {
				return err
			}
			view := term.View{Data: f, Grid: term.Rows([]signin.Forgotten{f}, []term.Column[signin.Forgotten]{
				{Name: "logins", Value: func(f signin.Forgotten) string { return strconv.Itoa(f.Logins) }},
				{Name: "tokens", Value: func(f signin.Forgotten) string { return strconv.Itoa(f.Tokens) }},
			})}
			if a.hasCLISession() {
				view.Note = "the Azure CLI is still signed in, and azlin uses its session: az logout ends it"
			}
			return a.Output.Print(view)
		},
	}
}

func (a Commands) hasCLISession() bool {
	if a.Paths.AzureDir == "" {
		return false
	}
	profile, err := signin.ReadProfile(filepath.Join(a.Paths.AzureDir, "azureProfile.json"))
	return err == nil && len(profile.Subscriptions) > 0
}
