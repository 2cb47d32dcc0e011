package signin

import (
	"cmp"
	"fmt"
	"os"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// NewAuthenticator chooses the credential and reads its files; it sends no request. If there is no way to sign in,
// Authenticate reports that. An incomplete configuration is an error, because the next identity would be a different one.
func NewAuthenticator(o Options) (*Authenticator, error) {
	o.Cloud = o.Cloud.OrPublic()
	a := &Authenticator{options: o}
	for i, try := range []func() (bool, error){a.secret, a.certificate, a.workload, a.managed, a.remembered, a.azureCLI} {
		done, err := try()
		if err != nil {
			return a, err
		}
		if done {
			a.rest(i + 1)
			return a, nil
		}
	}
	a.pass(DeviceCode, sourceLogin, "only when asked for")
	if a.err == nil {
		a.err = notSignedIn("no service principal is set, no sign-in is remembered, and the Azure CLI has no session")
	}
	return a, nil
}

func notSignedIn(why string) error {
	return &errkind.Error{Kind: errkind.Auth, Op: "sign in", Class: azure.ErrAuthentication, Err: fmt.Errorf("%w: %s", azure.ErrAuthentication, why)}
}

// pass records why a way to sign in was not used.
func (a *Authenticator) pass(k Kind, source, format string, args ...any) {
	a.choices = append(a.choices, Choice{Kind: k, Source: source, Reason: fmt.Sprintf(format, args...)})
}

// rest records the ways after the one in use.
func (a *Authenticator) rest(from int) {
	o := a.options
	_, logins := a.login()
	for i, way := range []struct {
		kind   Kind
		source string
		set    bool
	}{
		{ClientSecret, o.source(), o.ClientSecret != "" || o.ClientSecretFile != ""},
		{ClientCertificate, o.source(), o.CertificateFile != ""},
		{WorkloadIdentity, o.source(), o.FederatedTokenFile != ""},
		{ManagedIdentity, o.source(), o.IdentityEndpoint != ""},
		{"", sourceLogin, logins},
		{AzureCLI, sourceCLI, o.hasProfile()},
	} {
		switch {
		case i < from:
		case way.set:
			a.pass(way.kind, way.source, "is there too, but %s goes before it", a.kind)
		default:
			a.pass(way.kind, way.source, "is not set up, and %s would go before it", a.kind)
		}
	}
}

func (o Options) hasProfile() bool {
	if o.ProfileFile == "" {
		return false
	}
	profile, err := ReadProfile(o.ProfileFile)
	return err == nil && len(profile.Subscriptions) > 0
}

// take records the way in use.
func (a *Authenticator) take(k Kind, source string, who Credentials, format string, args ...any) {
	a.kind, a.who = k, who
	a.choices = append(a.choices, Choice{Kind: k, Source: source, Chosen: true, Reason: fmt.Sprintf(format, args...)})
}

func (a *Authenticator) secret() (bool, error) {
	o := a.options
	nothing := o.ClientSecret == "" && o.ClientSecretFile == ""
	alone := o.ClientID != "" && o.CertificateFile == "" && o.FederatedTokenFile == "" && o.IdentityEndpoint == ""
	if nothing && !alone {
		a.pass(ClientSecret, o.source(), "no client secret is set")
		return false, nil
	}
	if err := o.principal(); err != nil {
		return true, err
	}
	if nothing {
		return true, errkind.New(errkind.Invalid, "sign in as service principal %s: neither a secret nor a certificate, a federated token or an identity endpoint is set", o.ClientID)
	}
	secret, err := o.secret()
	if err != nil {
		return true, err
	}
	cred, err := o.newSecret(secret)
	if err != nil {
		return true, err
	}
	a.take(ClientSecret, o.source(), o.principalCredentials(), "a client id and secret are set")
	a.cred = newTokenCache(cred, o.CacheDir, "secret", o.Cloud.Authority, o.TenantID, o.ClientID)
	return true, nil
}

func (a *Authenticator) certificate() (bool, error) {
	o := a.options
	if o.CertificateFile == "" {
		a.pass(ClientCertificate, o.source(), "no certificate is set")
		return false, nil
	}
	if err := o.principal(); err != nil {
		return true, err
	}
	cred, err := o.newCertificate()
	if err != nil {
		return true, err
	}
	a.take(ClientCertificate, o.source(), o.principalCredentials(), "a client id and a certificate are set (%s)", o.CertificateFile)
	a.cred = newTokenCache(cred, o.CacheDir, "certificate", o.Cloud.Authority, o.TenantID, o.ClientID)
	return true, nil
}

func (a *Authenticator) workload() (bool, error) {
	o := a.options
	if o.FederatedTokenFile == "" {
		a.pass(WorkloadIdentity, o.source(), "no federated token is set")
		return false, nil
	}
	if err := o.principal(); err != nil {
		return true, err
	}
	cred, err := o.newWorkload()
	if err != nil {
		return true, err
	}
	a.take(WorkloadIdentity, o.source(), o.principalCredentials(), "a client id and a federated token are set (%s)", o.FederatedTokenFile)
	a.cred = newTokenCache(cred, o.CacheDir, "workload", o.Cloud.Authority, o.TenantID, o.ClientID)
	return true, nil
}

func (a *Authenticator) managed() (bool, error) {
	o := a.options
	if o.IdentityEndpoint == "" {
		a.pass(ManagedIdentity, o.source(), "IDENTITY_ENDPOINT and IDENTITY_HEADER are not both set")
		return false, nil
	}
	cred, err := o.newManaged()
	if err != nil {
		return true, err
	}
	who := o.principalCredentials()
	who.UserName = cmp.Or(o.ClientID, "system-assigned identity")
	a.take(ManagedIdentity, o.source(), who, "IDENTITY_ENDPOINT and IDENTITY_HEADER are set")
	a.cred = newTokenCache(cred, o.CacheDir, "managed", o.Cloud.Authority, o.IdentityEndpoint, o.ClientID)
	return true, nil
}

func (a *Authenticator) azureCLI() (bool, error) {
	o := a.options
	if o.ProfileFile == "" {
		a.pass(AzureCLI, sourceCLI, "not for this context")
		return false, nil
	}
	profile, err := ReadProfile(o.ProfileFile)
	if err != nil {
		return true, err
	}
	var sub ProfileSubscription
	found := false
	if o.SubscriptionID != "" {
		sub, found = profile.Find(o.SubscriptionID)
	} else {
		sub, found = profile.Current(o.Cloud.CliName())
	}
	why := ""
	switch {
	case len(profile.Subscriptions) == 0:
		why = "run az login"
	case !found && o.SubscriptionID == "":
		why = "the Azure CLI has no current subscription for this cloud: run az login or az account set"
	}
	if why != "" {
		a.err = notSignedIn(why)
		a.pass(AzureCLI, sourceCLI, "the Azure CLI has no session for this cloud")
		return false, nil
	}
	who := Credentials{SubscriptionID: o.SubscriptionID, TenantID: o.TenantID, UserName: sub.User}
	if found {
		who.SubscriptionID = sub.ID
		who.TenantID = cmp.Or(who.TenantID, sub.TenantID)
	}
	cred, err := o.newAzureCLI(sub, found)
	if err != nil {
		return true, err
	}
	info, err := os.Stat(o.ProfileFile)
	if err != nil {
		return true, fmt.Errorf("sign in with the Azure CLI: %w", err)
	}
	a.take(AzureCLI, sourceCLI, who, "az is signed in")
	// A new az login or az account set rewrites the profile, which invalidates every cached token.
	a.cred = newTokenCache(cred, o.CacheDir, "cli", o.Cloud.Authority, who.TenantID, who.SubscriptionID,
		sub.User, o.ProfileFile, info.ModTime().UTC().String())
	return true, nil
}
