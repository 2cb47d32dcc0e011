package signin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/atomicfile"
)

// developerClient is the Azure CLI's application id, which every tenant accepts for developer tools.
const developerClient = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"

// everyTenant is used when the tenant is unknown: the user's own.
const everyTenant = "organizations"

// deviceCredential renews the tokens of a device code sign-in. azidentity's credential keeps its refresh token in memory or
// in a keyring, which servers lack, so this one uses MSAL with a file.
type deviceCredential struct {
	client  public.Client
	file    msalFile
	account string
	tenant  string // empty: the tenant of the sign-in
}

// msalFile stores MSAL's cache, with its refresh tokens, in a file of mode 0600.
type msalFile string

// Replace implements cache.ExportReplace. A damaged file is treated as empty, so the user signs in again.
func (f msalFile) Replace(_ context.Context, c cache.Unmarshaler, _ cache.ReplaceHints) error {
	data, err := atomicfile.Read(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_ = c.Unmarshal(data) // see above
	return nil
}

// Export implements cache.ExportReplace.
func (f msalFile) Export(_ context.Context, c cache.Marshaler, _ cache.ExportHints) error {
	data, err := c.Marshal()
	if err != nil {
		return err
	}
	return atomicfile.Write(string(f), data, 0o600)
}

// publicClient creates MSAL's client and returns its cache file.
func (o Options) publicClient(tenant string) (public.Client, msalFile, error) {
	sum := sha256.Sum256([]byte(o.Cloud.Authority))
	file := msalFile(filepath.Join(o.CacheDir, "msal-"+hex.EncodeToString(sum[:8])+".json"))
	options, err := o.client()
	if err != nil {
		return public.Client{}, file, err
	}
	if tenant == "" {
		tenant = everyTenant
	}
	client, err := public.New(developerClient,
		public.WithAuthority(o.Cloud.Authority+"/"+tenant),
		public.WithCache(file),
		public.WithClientCapabilities([]string{"CP1"}), // supports claims challenges
		public.WithHTTPClient(pipelineClient{runtime.NewPipeline("azlin", "v1.0.0", runtime.PipelineOptions{}, &options)}),
		public.WithInstanceDiscovery(!o.Cloud.Custom),
	)
	if err != nil {
		return client, file, errkind.New(errkind.Invalid, "sign in with a device code: %w", err)
	}
	return client, file, nil
}

// deviceLogin lets the user sign in, and stores the identity in l.
func (o LoginOptions) deviceLogin(ctx context.Context, l *login) error {
	if o.Prompt == nil {
		return errkind.New(errkind.Invalid, "sign in with a device code: there is no way to show it")
	}
	client, _, err := o.publicClient(o.TenantID)
	if err != nil {
		return err
	}
	code, err := client.AcquireTokenByDeviceCode(ctx, []string{o.Cloud.Scope()})
	if err != nil {
		return signIn(err)
	}
	o.Prompt(DevicePrompt{
		UserCode: code.Result.UserCode, VerificationURL: code.Result.VerificationURL, Message: code.Result.Message,
		ExpiresOn: code.Result.ExpiresOn.UTC(),
	})
	result, err := code.AuthenticationResult(ctx)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = errkind.New(errkind.Auth, "%w: nobody entered the code before it expired", azure.ErrAuthentication)
	}
	if err != nil {
		return signIn(err)
	}
	l.ClientID, l.Account, l.UserName = developerClient, result.Account.HomeAccountID, result.Account.PreferredUsername
	if l.TenantID == "" {
		l.TenantID = result.IDToken.TenantID
	}
	return nil
}

func (o Options) newDevice(l login) (azcore.TokenCredential, error) {
	client, file, err := o.publicClient(l.TenantID)
	if err != nil {
		return nil, err
	}
	return &deviceCredential{client: client, file: file, account: l.Account, tenant: o.TenantID}, nil
}

// GetToken implements azcore.TokenCredential. It never prompts.
func (d *deviceCredential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	var at azcore.AccessToken
	tenant := o.TenantID
	if tenant == "" {
		tenant = d.tenant
	}
	// The file is read, changed and written as a whole.
	err := atomicfile.Locked(ctx, string(d.file), func() error {
		accounts, err := d.client.Accounts(ctx)
		if err != nil {
			return err
		}
		for _, account := range accounts {
			if account.HomeAccountID != d.account {
				continue
			}
			result, err := d.client.AcquireTokenSilent(ctx, o.Scopes,
				public.WithSilentAccount(account), public.WithClaims(o.Claims), public.WithTenantID(tenant))
			if err != nil {
				return err
			}
			at = azcore.AccessToken{Token: result.AccessToken, ExpiresOn: result.ExpiresOn.UTC(), RefreshOn: result.Metadata.RefreshOn.UTC()}
			return nil
		}
		return fmt.Errorf("%w: the refresh token is gone", azure.ErrAuthentication)
	})
	if err != nil {
		err = signIn(err)
		if errkind.Of(err) == errkind.Auth {
			err = &errkind.Error{Kind: errkind.Auth, Class: azure.ErrAuthentication, Err: err, Next: errkind.Step{Action: errkind.SignInByCode}}
		}
	}
	return at, err
}

// pipelineClient adapts azcore's pipeline, with its retries, to MSAL's HTTP client.
type pipelineClient struct{ pipeline runtime.Pipeline }

// Do sends a request.
func (c pipelineClient) Do(r *http.Request) (*http.Response, error) {
	req, err := runtime.NewRequestFromRequest(r)
	if err != nil {
		return nil, err
	}
	return c.pipeline.Do(req)
}

// CloseIdleConnections does nothing: the client below it is shared.
func (pipelineClient) CloseIdleConnections() {}
