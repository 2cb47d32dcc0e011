package signin

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azlin-dev/azlin/azure"
)

// Credentials says who is signed in, and where.
type Credentials struct {
	SubscriptionID string `json:"subscription_id"`
	TenantID       string `json:"tenant_id,omitempty"`
	UserName       string `json:"user_name,omitempty"`
}

// Kind is a way to sign in.
type Kind string

// The ways to sign in, in the order in which they are tried.
const (
	ClientSecret      Kind = "client-secret"      // a service principal with a secret
	ClientCertificate Kind = "client-certificate" // a service principal with a certificate
	WorkloadIdentity  Kind = "workload-identity"  // a service principal for which a foreign issuer vouches
	ManagedIdentity   Kind = "managed-identity"   // the identity of the Azure resource that azlin runs on
	DeviceCode        Kind = "device-code"        // a person with a browser somewhere
	AzureCLI          Kind = "azure-cli"          // the session of az
)

// String is the kind as people call it.
func (k Kind) String() string {
	switch k {
	case ClientSecret:
		return "service principal"
	case ClientCertificate:
		return "service principal with a certificate"
	case WorkloadIdentity:
		return "workload identity"
	case ManagedIdentity:
		return "managed identity"
	case DeviceCode:
		return "device code"
	case AzureCLI:
		return "Azure CLI"
	}
	return string(k)
}

// Options is what signing in may draw on. What is given is tried in this order, and the first that
// is there is used, and no other: a secret, a certificate, a federated token, a managed identity, what
// Login has remembered in CacheDir, the session of the Azure CLI.
type Options struct {
	Cloud          azure.Cloud
	TenantID       string // empty: the one of the sign-in that is remembered, or of the Azure CLI
	SubscriptionID string // empty: the Azure CLI's current one

	ClientID         string // of the service principal; of a managed identity that is not the system's
	ClientSecret     string
	ClientSecretFile string // read when ClientSecret is empty; only its first line counts

	CertificateFile     string // PEM or PKCS #12, certificate and key
	CertificatePassword string // of PKCS #12

	FederatedTokenFile string // read again whenever a token is due

	// IdentityEndpoint is the value of IDENTITY_ENDPOINT where that and IDENTITY_HEADER are set. The SDK
	// reads both from the environment of the process.
	IdentityEndpoint string

	ProfileFile string // the Azure CLI's azureProfile.json

	// Source says where the principal of the fields above comes from, for Choices; empty: "environment".
	Source string

	CacheDir string       // tokens and sign-ins between runs, mode 0600; empty: memory only
	HTTP     *http.Client // for the token endpoint; nil: Cloud.HTTPClient()
}

// Choice says of one way to sign in whether it is used, and why or why not.
type Choice struct {
	Kind   Kind   `json:"kind"`   // empty: of the remembered sign-in, when there is none
	Source string `json:"source"` // "environment", "remembered sign-in", "az login", or AuthOptions.Source
	Chosen bool   `json:"chosen"`
	Reason string `json:"reason"`
}

// The sources of a Choice.
const (
	sourceEnvironment = "environment"
	sourceLogin       = "remembered sign-in"
	sourceCLI         = "az login"
)

func (o Options) source() string { return cmp.Or(o.Source, sourceEnvironment) }

// Authenticator signs in. It never prompts.
type Authenticator struct {
	options Options
	who     Credentials
	kind    Kind
	cred    *tokenCache
	choices []Choice
	err     error // why nobody can be signed in
}

// Kind says how one is signed in; empty when nothing is there to sign in with.
func (a *Authenticator) Kind() Kind { return a.kind }

// Method says what is signed in with, in words: "service principal", "Azure CLI"; empty when nothing is.
func (a *Authenticator) Method() string { return a.kind.String() }

// Choices lists the ways to sign in up to the one that is used, in the order in which they were tried,
// with the reason for each.
func (a *Authenticator) Choices() []Choice { return a.choices }

// Credential is what Open wants. It is an error when nothing is there to sign in with.
func (a *Authenticator) Credential() (azcore.TokenCredential, error) {
	if a.err != nil {
		return nil, a.err
	}
	return a.cred, nil
}

// request is what the pipeline asks for, so that the token is the one that it will use.
func (a *Authenticator) request() policy.TokenRequestOptions {
	return policy.TokenRequestOptions{Scopes: []string{a.options.Cloud.Scope()}, EnableCAE: true}
}

// Authenticate signs in, from the cache when that holds a token, and says who is signed in.
// Its errors are ErrAuthentication, or Unreachable when nobody answered.
func (a *Authenticator) Authenticate(ctx context.Context) (Credentials, error) {
	if a.err != nil {
		return Credentials{}, a.err
	}
	if _, err := a.cred.GetToken(ctx, a.request()); err != nil {
		return Credentials{}, signIn(err)
	}
	return a.who, nil
}

// CachedUntil is when the token in the cache ends; the zero time when there is none. It sends nothing.
func (a *Authenticator) CachedUntil() time.Time {
	if a.cred == nil {
		return time.Time{}
	}
	return a.cred.read(a.cred.key(a.request())).ExpiresOn
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
	return "", notSignedIn("no subscription is set; a " + strings.ToLower(a.kind.String()) + " sign-in has no current one")
}

// Identity says who would be signed in, as far as that is known without asking anybody.
func (a *Authenticator) Identity() Credentials { return a.who }
