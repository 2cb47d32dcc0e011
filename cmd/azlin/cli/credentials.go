package cli

import (
	"path/filepath"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/emulator"
)

// environmentAuth is what the environment and the Azure CLI offer to sign in with. The cloud is not in it.
func (a *app) environmentAuth(target azure.Target) signin.Options {
	auth := signin.Options{
		TenantID: target.TenantID, SubscriptionID: target.SubscriptionID, CacheDir: a.paths.Tokens,
		ClientID: a.env.ClientID, ClientSecret: a.env.ClientSecret,
		CertificateFile: a.env.Certificate, CertificatePassword: a.env.CertificatePass,
		FederatedTokenFile: a.env.FederatedToken, IdentityEndpoint: a.env.IdentityEndpoint,
	}
	if a.paths.AzureDir != "" {
		auth.ProfileFile = filepath.Join(a.paths.AzureDir, "azureProfile.json")
	}
	return auth
}

// emulatorAuth is how one signs in to the emulator: as azlin login has said, else as its default service
// principal. The environment is for the real Azure.
func (a *app) emulatorAuth(target azure.Target, s emulator.Status) (signin.Options, error) {
	auth := signin.Options{
		Cloud: target.Cloud, TenantID: target.TenantID, SubscriptionID: target.SubscriptionID, CacheDir: a.paths.Tokens,
	}
	remembered, err := signin.NewAuthenticator(auth)
	if err != nil || remembered.Kind() != "" {
		return auth, err
	}
	auth.ClientID, auth.ClientSecretFile, auth.Source = s.ClientID, s.ClientSecretFile, "emulator"
	return auth, nil
}
