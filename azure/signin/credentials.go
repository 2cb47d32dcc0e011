package signin

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/transport"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/atomicfile"
)

// principal checks what every service principal requires.
func (o Options) principal() error {
	switch {
	case o.ClientID == "":
		return errkind.New(errkind.Invalid, "sign in as a service principal: its client id is not set")
	case o.TenantID == "":
		return errkind.New(errkind.Invalid, "sign in as service principal %s: the tenant is not set", o.ClientID)
	}
	return nil
}

func (o Options) principalCredentials() Credentials {
	return Credentials{SubscriptionID: o.SubscriptionID, TenantID: o.TenantID, UserName: o.ClientID}
}

// client configures access to the token endpoint.
func (o Options) client() (policy.ClientOptions, error) {
	if o.HTTP == nil {
		hc, err := o.Cloud.HTTPClient()
		if err != nil {
			return policy.ClientOptions{}, err
		}
		o.HTTP = hc
	}
	return policy.ClientOptions{Cloud: o.Cloud.Configuration(), Transport: transport.WithoutRedirects(o.HTTP)}, nil
}

// secret is the client secret, which may be in a file.
func (o Options) secret() (string, error) {
	if o.ClientSecret != "" {
		return o.ClientSecret, nil
	}
	data, err := atomicfile.Read(o.ClientSecretFile)
	if err != nil {
		return "", unreadable("the client secret", err)
	}
	secret, _, _ := strings.Cut(string(data), "\n")
	if secret = strings.TrimSpace(secret); secret == "" {
		return "", unreadable("the client secret", errors.New(o.ClientSecretFile+" is empty"))
	}
	return secret, nil
}

func unreadable(what string, err error) error {
	return &errkind.Error{Kind: errkind.Prerequisite, Op: "read " + what, Class: azure.ErrAuthentication, Err: err}
}

func (o Options) refused(err error) error {
	return errkind.New(errkind.Invalid, "sign in as service principal %s: %w", o.ClientID, err)
}

func (o Options) newSecret(secret string) (azcore.TokenCredential, error) {
	client, err := o.client()
	if err != nil {
		return nil, err
	}
	cred, err := azidentity.NewClientSecretCredential(o.TenantID, o.ClientID, secret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: client,
		// Instance discovery asks a Microsoft host whether the authority is one of Microsoft's, which a
		// custom cloud never is.
		DisableInstanceDiscovery: o.Cloud.Custom,
	})
	if err != nil {
		return nil, o.refused(err)
	}
	return cred, nil
}

func (o Options) newCertificate() (azcore.TokenCredential, error) {
	data, err := atomicfile.Read(o.CertificateFile)
	if err != nil {
		return nil, unreadable("the client certificate", err)
	}
	certs, key, err := azidentity.ParseCertificates(data, []byte(o.CertificatePassword))
	if err != nil {
		return nil, &errkind.Error{
			Kind: errkind.Invalid, Op: "read the client certificate", Resource: o.CertificateFile, Class: azure.ErrAuthentication,
			Err: errors.New("it is neither PEM nor PKCS #12 with a certificate and its key, or its password is wrong: " + err.Error()),
		}
	}
	client, err := o.client()
	if err != nil {
		return nil, err
	}
	cred, err := azidentity.NewClientCertificateCredential(o.TenantID, o.ClientID, certs, key, &azidentity.ClientCertificateCredentialOptions{
		ClientOptions: client, DisableInstanceDiscovery: o.Cloud.Custom,
	})
	if err != nil {
		return nil, o.refused(err)
	}
	return cred, nil
}

func (o Options) newWorkload() (azcore.TokenCredential, error) {
	// The SDK reads it when a token is due; this reports an unreadable file at once.
	if _, err := atomicfile.Read(o.FederatedTokenFile); err != nil {
		return nil, unreadable("the federated token", err)
	}
	client, err := o.client()
	if err != nil {
		return nil, err
	}
	cred, err := azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
		ClientOptions: client, DisableInstanceDiscovery: o.Cloud.Custom,
		ClientID: o.ClientID, TenantID: o.TenantID, TokenFilePath: o.FederatedTokenFile,
	})
	if err != nil {
		return nil, o.refused(err)
	}
	return cred, nil
}

// newManaged is the identity of the resource on which azlin runs. The SDK finds its endpoint in the environment:
// IDENTITY_ENDPOINT, or else the metadata service of a VM.
func (o Options) newManaged() (azcore.TokenCredential, error) {
	if o.HTTP == nil {
		hc, err := o.Cloud.HTTPClient()
		if err != nil {
			return nil, err
		}
		if t, ok := hc.Transport.(*http.Transport); ok {
			t.Proxy = nil // the endpoint is local and needs no proxy
		}
		o.HTTP = hc
	}
	options := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: policy.ClientOptions{
		Cloud: o.Cloud.Configuration(), Transport: transport.WithoutRedirects(o.HTTP),
		// Outside Azure nothing answers at the metadata address; few retries keep that short.
		Retry: policy.RetryOptions{MaxRetries: 3, RetryDelay: time.Second, TryTimeout: 5 * time.Second},
	}}
	if o.ClientID != "" {
		options.ID = azidentity.ClientID(o.ClientID)
	}
	cred, err := azidentity.NewManagedIdentityCredential(options)
	if err != nil {
		return nil, errkind.New(errkind.Invalid, "sign in as a managed identity: %w", err)
	}
	return cred, nil
}

// newAzureCLI uses az. It accepts a subscription or a tenant; the subscription also selects the account.
func (o Options) newAzureCLI(sub ProfileSubscription, found bool) (azcore.TokenCredential, error) {
	options := &azidentity.AzureCLICredentialOptions{TenantID: o.TenantID}
	if found {
		options = &azidentity.AzureCLICredentialOptions{Subscription: sub.ID}
	}
	cred, err := azidentity.NewAzureCLICredential(options)
	if err != nil {
		return nil, errkind.New(errkind.Invalid, "sign in with the Azure CLI: %w", err)
	}
	return cred, nil
}
