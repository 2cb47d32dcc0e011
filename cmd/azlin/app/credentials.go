package app

import (
	"path/filepath"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/emulator"
)

// environmentAuth is what the environment and the Azure CLI offer to sign in with. The cloud is not in it.
func (a *App) environmentAuth(target azure.Target) signin.Options {
	auth := signin.Options{
		TenantID: target.TenantID, SubscriptionID: target.SubscriptionID, CacheDir: a.Paths.Tokens,
		ClientID: a.Env.ClientID, ClientSecret: a.Env.ClientSecret,
		CertificateFile: a.Env.Certificate, CertificatePassword: a.Env.CertificatePass,
		FederatedTokenFile: a.Env.FederatedToken, IdentityEndpoint: a.Env.IdentityEndpoint,
	}
	if a.Paths.AzureDir != "" {
		auth.ProfileFile = filepath.Join(a.Paths.AzureDir, "azureProfile.json")
	}
	return auth
}

// emulatorAuth is how one signs in to the emulator: as azlin login has said, else as its default service
// principal. The environment is for the real Azure.
func (a *App) emulatorAuth(target azure.Target, s emulator.Status) (signin.Options, error) {
	auth := signin.Options{
		Cloud: target.Cloud, TenantID: target.TenantID, SubscriptionID: target.SubscriptionID, CacheDir: a.Paths.Tokens,
	}
	remembered, err := signin.NewAuthenticator(auth)
	if err != nil || remembered.Kind() != "" {
		return auth, err
	}
	auth.ClientID, auth.ClientSecretFile, auth.Source = s.ClientID, s.ClientSecretFile, "emulator"
	return auth, nil
}
