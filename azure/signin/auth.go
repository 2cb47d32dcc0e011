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

// Credentials describe the signed-in identity.
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
	WorkloadIdentity  Kind = "workload-identity"  // a service principal with a token of another issuer
	ManagedIdentity   Kind = "managed-identity"   // the identity of the Azure resource on which azlin runs
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

// Options are the sources for signing in. They are tried in this order, and only the first available one is used: a secret,
// a certificate, a federated token, a managed identity, what Login stored in CacheDir, the Azure CLI's sign-in.
type Options struct {
	Cloud          azure.Cloud
	TenantID       string // empty: that of the stored sign-in or of the Azure CLI
	SubscriptionID string // empty: the Azure CLI's current one

	ClientID         string // of the service principal; of a managed identity that is not the system's
	ClientSecret     string
	ClientSecretFile string // read when ClientSecret is empty; only its first line is used

	CertificateFile     string // PEM or PKCS #12, certificate and key
	CertificatePassword string // of PKCS #12

	FederatedTokenFile string // read again for each new token

	// IdentityEndpoint is the value of IDENTITY_ENDPOINT if it and IDENTITY_HEADER are set. The SDK reads both from the
	// process's environment.
	IdentityEndpoint string

	ProfileFile string // the Azure CLI's azureProfile.json

	// Source is the origin of the fields above, for Choices; empty: "environment".
	Source string

	CacheDir string       // tokens and sign-ins between runs, mode 0600; empty: memory only
	HTTP     *http.Client // for the token endpoint; nil: Cloud.HTTPClient()
}

// Choice reports whether a way to sign in is used, with the reason.
type Choice struct {
	Kind   Kind   `json:"kind"`   // empty: for the stored sign-in, when there is none
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
	err     error // why sign-in is impossible
}

// Kind is the way to sign in that is used; empty: none.
func (a *Authenticator) Kind() Kind { return a.kind }

// Method is Kind in words: "service principal", "Azure CLI"; empty: none.
func (a *Authenticator) Method() string { return a.kind.String() }

// Choices lists the ways to sign in up to the one in use, in the order in which they were tried, with the reason for each.
func (a *Authenticator) Choices() []Choice { return a.choices }

// Credential is the credential for azure.Open. Without a way to sign in it is an error.
func (a *Authenticator) Credential() (azcore.TokenCredential, error) {
	if a.err != nil {
		return nil, a.err
	}
	return a.cred, nil
}

// request is the pipeline's token request, so that both use the same token.
func (a *Authenticator) request() policy.TokenRequestOptions {
	return policy.TokenRequestOptions{Scopes: []string{a.options.Cloud.Scope()}, EnableCAE: true}
}

// Authenticate signs in, from the cache if possible, and returns the identity. Its errors are ErrAuthentication, or
// Unreachable when nothing answered.
func (a *Authenticator) Authenticate(ctx context.Context) (Credentials, error) {
	if a.err != nil {
		return Credentials{}, a.err
	}
	if _, err := a.cred.GetToken(ctx, a.request()); err != nil {
		return Credentials{}, signIn(err)
	}
	return a.who, nil
}

// CachedUntil is when the cached token expires; zero: there is none. It sends no request.
func (a *Authenticator) CachedUntil() time.Time {
	if a.cred == nil {
		return time.Time{}
	}
	return a.cred.read(a.cred.key(a.request())).ExpiresOn
}

// CheckLoggedIn reports whether Authenticate would succeed. It never prompts.
func (a *Authenticator) CheckLoggedIn(ctx context.Context) bool {
	_, err := a.Authenticate(ctx)
	return err == nil
}

// SubscriptionID is the requested subscription, else the Azure CLI's current one. It sends no request.
func (a *Authenticator) SubscriptionID() (string, error) {
	if a.who.SubscriptionID != "" {
		return a.who.SubscriptionID, nil
	}
	if a.err != nil {
		return "", a.err
	}
	return "", notSignedIn("no subscription is set; a " + strings.ToLower(a.kind.String()) + " sign-in has no current one")
}

// Identity is the identity as far as it is known without a request.
func (a *Authenticator) Identity() Credentials { return a.who }
