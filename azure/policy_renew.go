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

// renewal gets another token when Azure says that the one it was sent has ended: by its clock, which need not be ours,
// or because it was revoked without a challenge. Azcore itself renews tokens by our clock only. Each request is
// repeated once at most.
type renewal struct {
	cred  azcore.TokenCredential
	scope string

	mu      sync.Mutex
	refused string // the token that azcore still sends
	fresh   string // the one that is sent in its place
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

// renew gets another token than the one that was refused, once for all who were.
func (r *renewal) renew(ctx context.Context, refused string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fresh != "" && r.refused == refused {
		return r.fresh, nil // somebody else was faster
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
	if err == nil && t.Token == refused { // the credential has a cache of its own
		o.Claims = anyClaims
		t, err = cache.Renew(ctx, o)
	}
	if err == nil && t.Token != refused {
		if r.fresh != refused { // azcore still sends the one before
			r.refused = refused
		}
		r.fresh = t.Token
	}
	return t.Token, err
}

// renewer is a credential with a cache that can be passed over.
type renewer interface {
	Renew(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error)
}

// anyClaims makes credentials ask Entra, whatever they hold.
const anyClaims = `{"access_token":{}}`
