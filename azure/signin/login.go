package signin

import (
	"cmp"
	"context"
	"os"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/azlin-dev/azlin/errkind"
)

// LoginOptions specify a sign-in to store. Kind selects the way; AzureCLI is not allowed, because az stores its own.
type LoginOptions struct {
	Options // Cloud and CacheDir, and what Kind requires

	Kind Kind
	// Prompt shows the user the address and the code. DeviceCode requires it.
	Prompt func(DevicePrompt)
}

// DevicePrompt is what a user needs to sign in with a browser.
type DevicePrompt struct {
	UserCode        string    `json:"user_code"`
	VerificationURL string    `json:"verification_url"`
	Message         string    `json:"message"` // both, in Entra's text
	ExpiresOn       time.Time `json:"expires_on"`
}

// Login signs in and stores how in CacheDir, for NewAuthenticator. For a service principal it stores the names of its files;
// a secret that came from no file is stored itself, mode 0600. For a device code it stores the refresh token. A refused
// sign-in is not stored.
func Login(ctx context.Context, o LoginOptions) (*Authenticator, Credentials, error) {
	fail := func(err error) (*Authenticator, Credentials, error) { return nil, Credentials{}, err }
	o.Cloud = o.Cloud.OrPublic()
	if o.CacheDir == "" {
		return fail(errkind.New(errkind.Invalid, "sign in: there is no directory to remember it in"))
	}
	if err := os.MkdirAll(o.CacheDir, 0o700); err != nil {
		return fail(errkind.New(errkind.Prerequisite, "keep the sign-in: %w", err))
	}
	l := login{Kind: o.Kind, Authority: o.Cloud.Authority, TenantID: o.TenantID, ClientID: o.ClientID, UserName: o.ClientID, Time: time.Now().UTC()}
	switch o.Kind {
	case ClientSecret:
		l.SecretFile, l.Secret = o.ClientSecretFile, o.ClientSecret
	case ClientCertificate:
		l.CertificateFile, l.CertificatePassword = o.CertificateFile, o.CertificatePassword
	case WorkloadIdentity:
		l.FederatedTokenFile = o.FederatedTokenFile
	case ManagedIdentity:
		l.UserName = cmp.Or(o.ClientID, "system-assigned identity")
	case DeviceCode:
		if err := o.deviceLogin(ctx, &l); err != nil {
			return fail(err)
		}
	default:
		return fail(errkind.New(errkind.Invalid, "sign in: %q is not a known way to sign in", string(o.Kind)))
	}
	a := &Authenticator{options: Options{
		Cloud: o.Cloud, TenantID: o.TenantID, SubscriptionID: o.SubscriptionID, CacheDir: o.CacheDir, HTTP: o.HTTP,
	}}
	if err := a.use(l); err != nil {
		return fail(err)
	}
	// A cached token of another sign-in would not prove that this one works.
	if _, err := a.cred.fetch(ctx, a.request()); err != nil {
		return fail(err)
	}
	return a, a.who, l.keep(ctx, o.CacheDir)
}

// credential creates the credential of a stored sign-in. o holds the cloud, the tenant and the client.
func (o Options) credential(l login) (azcore.TokenCredential, error) {
	if l.Kind != ManagedIdentity && l.Kind != DeviceCode {
		if err := o.principal(); err != nil {
			return nil, err
		}
	}
	switch l.Kind {
	case ClientSecret:
		o.ClientSecret, o.ClientSecretFile = l.Secret, l.SecretFile
		secret, err := o.secret()
		if err != nil {
			return nil, err
		}
		return o.newSecret(secret)
	case ClientCertificate:
		o.CertificateFile, o.CertificatePassword = l.CertificateFile, l.CertificatePassword
		return o.newCertificate()
	case WorkloadIdentity:
		o.FederatedTokenFile = l.FederatedTokenFile
		return o.newWorkload()
	case ManagedIdentity:
		return o.newManaged()
	case DeviceCode:
		return o.newDevice(l)
	}
	return nil, errkind.New(errkind.Invalid, "the remembered sign-in is of a kind that is not known: %q; sign in again", string(l.Kind))
}
