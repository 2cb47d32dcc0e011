package azure

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azlin-dev/azlin/azure/answer"
)

// renewal gets a new token when Azure reports the current one as expired: by Azure's clock, which may differ from ours, or
// because it was revoked without a challenge. Azcore renews tokens by our clock only. Each request is repeated at most once.
type renewal struct {
	cred  azcore.TokenCredential
	scope string

	mu      sync.Mutex
	refused string // the token that azcore still sends
	fresh   string // sent instead
}

func (r *renewal) Do(req *policy.Request) (*http.Response, error) {
	raw := req.Raw()
	sent := strings.TrimPrefix(raw.Header.Get("Authorization"), "Bearer ")
	if fresh := r.instead(sent); fresh != "" {
		sent = fresh
		raw.Header.Set("Authorization", "Bearer "+fresh)
	}
	resp, err := req.Clone(raw.Context()).Next()
	if err != nil || resp.StatusCode != http.StatusUnauthorized || !strings.EqualFold(answer.Code(resp), "ExpiredAuthenticationToken") {
		return resp, err
	}
	fresh, err := r.renew(raw.Context(), sent)
	if err != nil || fresh == "" || fresh == sent {
		return resp, nil //nolint:nilerr // that the token has ended is what there is to say
	}
	runtime.Drain(resp)
	if err := req.RewindBody(); err != nil {
		return nil, err
	}
	raw.Header.Set("Authorization", "Bearer "+fresh)
	return req.Clone(raw.Context()).Next()
}

func (r *renewal) instead(sent string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refused != "" && sent == r.refused {
		return r.fresh
	}
	return ""
}

// renew gets a token to replace the refused one, once for all requests that were refused.
func (r *renewal) renew(ctx context.Context, refused string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fresh != "" && r.refused == refused {
		return r.fresh, nil // another request renewed it first
	}
	o := policy.TokenRequestOptions{Scopes: []string{r.scope}, EnableCAE: true}
	cache, ok := r.cred.(renewer)
	if !ok {
		o.Claims = anyClaims
		t, err := r.cred.GetToken(ctx, o)
		if err == nil {
			r.refused, r.fresh = refused, t.Token
		}
		return t.Token, err
	}
	t, err := cache.Renew(ctx, o)
	if err == nil && t.Token == refused { // it came from the credential's own cache
		o.Claims = anyClaims
		t, err = cache.Renew(ctx, o)
	}
	if err == nil && t.Token != refused {
		if r.fresh != refused { // azcore still sends the previous token
			r.refused = refused
		}
		r.fresh = t.Token
	}
	return t.Token, err
}

// renewer is a credential whose cache can be skipped.
type renewer interface {
	Renew(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error)
}

// anyClaims makes credentials skip their caches and request a token from Entra.
const anyClaims = `{"access_token":{}}`
