package azure

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/azlin-dev/azlin/errkind"
)

// Credentials says who is signed in, and where.
type Credentials struct {
	SubscriptionID string `json:"subscription_id"`
	TenantID       string `json:"tenant_id,omitempty"`
	UserName       string `json:"user_name,omitempty"`
}

// AuthOptions is what signing in may draw on. The first of these that is given is used, and no other:
// a service principal (ClientID), then the session of the Azure CLI (ProfileFile).
type AuthOptions struct {
	Cloud          Cloud
	TenantID       string // of the service principal; with the Azure CLI empty means its current one
	SubscriptionID string // empty: the Azure CLI's current one

	ClientID         string
	ClientSecret     string
	ClientSecretFile string // read when ClientSecret is empty; only its first line counts

	ProfileFile string // the Azure CLI's azureProfile.json

	CacheDir string       // tokens between runs, mode 0600; empty: memory only
	HTTP     *http.Client // for the token endpoint; nil: Cloud.HTTPClient()
}

// Authenticator signs in. It never prompts.
type Authenticator struct {
	options AuthOptions
	who     Credentials
	method  string
	cred    azcore.TokenCredential
	err     error // why nobody can be signed in
}

// NewAuthenticator chooses the credential and reads its files; it sends nothing. When nothing is
// there to sign in with, that is told by Authenticate, not here.
func NewAuthenticator(o AuthOptions) (*Authenticator, error) {
	o.Cloud = o.Cloud.orPublic()
	a := &Authenticator{options: o}
	switch {
	case o.ClientID != "":
		return a, a.servicePrincipal()
	case o.ProfileFile != "":
		return a, a.azureCLI()
	}
	a.err = notSignedIn("no service principal is set and the Azure CLI has no session")
	return a, nil
}

func notSignedIn(why string) error {
	return &errkind.Error{Kind: errkind.Auth, Op: "sign in", Class: ErrAuthentication, Err: fmt.Errorf("%w: %s", ErrAuthentication, why)}
}

func (a *Authenticator) servicePrincipal() error {
	o := a.options
	a.method = "service principal"
	a.who = Credentials{SubscriptionID: o.SubscriptionID, TenantID: o.TenantID, UserName: o.ClientID}
	if o.TenantID == "" {
		return errkind.New(errkind.Invalid, "sign in as service principal %s: the tenant is not set", o.ClientID)
	}
	secret := o.ClientSecret
	if secret == "" {
		if o.ClientSecretFile == "" {
			return errkind.New(errkind.Invalid, "sign in as service principal %s: neither a secret nor a file with it is set", o.ClientID)
		}
		data, err := os.ReadFile(o.ClientSecretFile)
		if err != nil {
			return &errkind.Error{Kind: errkind.Prerequisite, Op: "read the client secret", Class: ErrAuthentication, Err: err}
		}
		secret, _, _ = strings.Cut(string(data), "\n")
		secret = strings.TrimSpace(secret)
	}
	if o.HTTP == nil {
		hc, err := o.Cloud.HTTPClient()
		if err != nil {
			return err
		}
		o.HTTP = hc
	}
	cred, err := azidentity.NewClientSecretCredential(o.TenantID, o.ClientID, secret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: policy.ClientOptions{Cloud: o.Cloud.configuration(), Transport: o.HTTP},
		// Instance discovery asks a Microsoft host whether the authority is one of Microsoft's, which a
		// custom cloud never is.
		DisableInstanceDiscovery: o.Cloud.Custom,
	})
	if err != nil {
		return errkind.New(errkind.Invalid, "sign in as service principal %s: %w", o.ClientID, err)
	}
	a.cred = newTokenCache(cred, o.CacheDir, "secret", o.Cloud.Authority, o.TenantID, o.ClientID)
	return nil
}

func (a *Authenticator) azureCLI() error {
	o := a.options
	a.method = "Azure CLI"
	profile, err := ReadProfile(o.ProfileFile)
	if err != nil {
		return err
	}
	var sub ProfileSubscription
	found := false
	if o.SubscriptionID != "" {
		sub, found = profile.Find(o.SubscriptionID)
	} else {
		sub, found = profile.Current(o.Cloud.cliName())
	}
	if len(profile.Subscriptions) == 0 {
		a.err = notSignedIn("run az login")
		return nil
	}
	if !found && o.SubscriptionID == "" {
		a.err = notSignedIn("the Azure CLI has no current subscription for this cloud: run az login or az account set")
		return nil
	}
	a.who = Credentials{SubscriptionID: o.SubscriptionID, TenantID: o.TenantID, UserName: sub.User}
	options := &azidentity.AzureCLICredentialOptions{TenantID: o.TenantID}
	if found {
		a.who.SubscriptionID = sub.ID
		if a.who.TenantID == "" {
			a.who.TenantID = sub.TenantID
		}
		// The CLI takes one or the other; the subscription also chooses the account.
		options = &azidentity.AzureCLICredentialOptions{Subscription: sub.ID}
	}
	cred, err := azidentity.NewAzureCLICredential(options)
	if err != nil {
		return errkind.New(errkind.Invalid, "sign in with the Azure CLI: %w", err)
	}
	info, err := os.Stat(o.ProfileFile)
	if err != nil {
		return fmt.Errorf("sign in with the Azure CLI: %w", err)
	}
	// A new az login or az account set rewrites the profile, and with it ends every token kept here.
	a.cred = newTokenCache(cred, o.CacheDir, "cli", o.Cloud.Authority, a.who.TenantID, a.who.SubscriptionID,
		sub.User, o.ProfileFile, info.ModTime().UTC().String())
	return nil
}

// Method says what is signed in with: "service principal" or "Azure CLI"; empty when nothing is.
func (a *Authenticator) Method() string { return a.method }

// Credential is what Open wants. It is an error when nothing is there to sign in with.
func (a *Authenticator) Credential() (azcore.TokenCredential, error) {
	if a.err != nil {
		return nil, a.err
	}
	return a.cred, nil
}

// Authenticate signs in, from the cache when that holds a token, and says who is signed in.
// Its errors are ErrAuthentication, or Unreachable when nobody answered.
func (a *Authenticator) Authenticate(ctx context.Context) (Credentials, error) {
	if a.err != nil {
		return Credentials{}, a.err
	}
	// The same options as the pipeline's, so that the token is the one it will use.
	if _, err := a.cred.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{a.options.Cloud.scope()}, EnableCAE: true}); err != nil {
		return Credentials{}, signIn(err)
	}
	return a.who, nil
}

// CheckLoggedIn says whether Authenticate would succeed. It never prompts.
func (a *Authenticator) CheckLoggedIn(ctx context.Context) bool {
	_, err := a.Authenticate(ctx)
	return err == nil
}

// SubscriptionID is the subscription to work on: the one asked for, else the Azure CLI's current one.
// It sends nothing.
func (a *Authenticator) SubscriptionID() (string, error) {
	if a.who.SubscriptionID != "" {
		return a.who.SubscriptionID, nil
	}
	if a.err != nil {
		return "", a.err
	}
	return "", notSignedIn("no subscription is set; a service principal has no current one")
}

// Identity says who would be signed in, as far as that is known without asking anybody.
func (a *Authenticator) Identity() Credentials { return a.who }
