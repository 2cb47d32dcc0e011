package signin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/atomicfile"
)

// tokenCache caches tokens in memory and, between runs, in files of mode 0600: requesting one from Entra takes one or two
// round trips, from the Azure CLI 0.4 s.
type tokenCache struct {
	inner azcore.TokenCredential
	dir   string   // empty: memory only
	who   []string // authority, tenant, client, user, age of the profile: everything on which a token depends

	turn   chan struct{} // one goroutine at a time; unlike for a mutex, waiting ends with the context
	tokens map[string]cachedToken
}

// cachedToken is one file.
type cachedToken struct {
	Token     string    `json:"token"`
	ExpiresOn time.Time `json:"expires_on"`
	RefreshOn time.Time `json:"refresh_on,omitzero"`
}

const (
	refreshBefore = 5 * time.Minute  // a token that expires sooner is renewed
	usableBefore  = 30 * time.Second // if renewal fails, the old one is used until this close to its expiry
)

func newTokenCache(inner azcore.TokenCredential, dir string, who ...string) *tokenCache {
	return &tokenCache{inner: inner, dir: dir, who: who, turn: make(chan struct{}, 1), tokens: map[string]cachedToken{}}
}

// GetToken implements azcore.TokenCredential.
func (c *tokenCache) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	key := c.key(o)
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return azcore.AccessToken{}, signIn(ctx.Err())
	}
	if o.Claims != "" {
		// Azure has revoked the token, or requires more claims: cached tokens are useless.
		return c.replace(ctx, o, key)
	}
	if t := c.tokens[key]; t.fresh() {
		return t.access(), nil
	}
	if c.dir == "" {
		return c.replace(ctx, o, key)
	}
	if t := c.read(key); t.fresh() {
		c.tokens[key] = t
		return t.access(), nil
	}
	var out azcore.AccessToken
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return out, errkind.New(errkind.Prerequisite, "keep the token: %w", err)
	}
	// One process renews; the others find its result.
	err := atomicfile.Locked(ctx, c.file(key), func() error {
		if t := c.read(key); t.fresh() {
			c.tokens[key] = t
			out = t.access()
			return nil
		}
		var err error
		out, err = c.replace(ctx, o, key)
		return err
	})
	return out, err
}

// Renew requests a token to replace one that Azure refused.
func (c *tokenCache) Renew(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return azcore.AccessToken{}, signIn(ctx.Err())
	}
	return c.replace(ctx, o, c.key(o))
}

// fetch is GetToken without reading the cache; the new token is written to it.
func (c *tokenCache) fetch(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	key := c.key(o)
	if c.dir != "" {
		if err := os.Remove(c.file(key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return azcore.AccessToken{}, errkind.New(errkind.Prerequisite, "keep the token: %w", err)
		}
	}
	return c.GetToken(ctx, o)
}

// replace requests a token and caches it. If that fails, a token that is still valid is used.
func (c *tokenCache) replace(ctx context.Context, o policy.TokenRequestOptions, key string) (azcore.AccessToken, error) {
	at, err := c.inner.GetToken(ctx, o)
	if err != nil {
		old := c.tokens[key]
		if old.Token == "" {
			old = c.read(key)
		}
		if o.Claims == "" && time.Until(old.ExpiresOn) > usableBefore {
			return old.access(), nil
		}
		return azcore.AccessToken{}, signIn(err)
	}
	t := cachedToken{Token: at.Token, ExpiresOn: at.ExpiresOn, RefreshOn: at.RefreshOn}
	c.tokens[key] = t
	if c.dir != "" {
		c.write(key, t)
	}
	return at, nil
}

// signIn gives a token error its class.
func signIn(err error) error {
	wrapped := azure.Wrap("sign in", "", err)
	if e, ok := wrapped.(*errkind.Error); ok { //nolint:errorlint // what Wrap has just made
		if e.Kind == errkind.Unknown {
			e.Kind = errkind.Auth
		}
		if e.Kind == errkind.Auth && e.Class == nil {
			e.Class = azure.ErrAuthentication
		}
	}
	return wrapped
}

func (t cachedToken) fresh() bool {
	if t.Token == "" || time.Until(t.ExpiresOn) < refreshBefore {
		return false
	}
	return t.RefreshOn.IsZero() || time.Now().Before(t.RefreshOn)
}

func (t cachedToken) access() azcore.AccessToken {
	return azcore.AccessToken{Token: t.Token, ExpiresOn: t.ExpiresOn, RefreshOn: t.RefreshOn}
}

func (c *tokenCache) key(o policy.TokenRequestOptions) string {
	parts := append([]string{o.TenantID, strconv.FormatBool(o.EnableCAE)}, o.Scopes...)
	sum := sha256.Sum256([]byte(strings.Join(append(parts, c.who...), "\x00")))
	return hex.EncodeToString(sum[:16])
}

func (c *tokenCache) file(key string) string { return filepath.Join(c.dir, key+".json") }

// read returns an empty token for an absent or damaged file: it is only a cache.
func (c *tokenCache) read(key string) cachedToken {
	var t cachedToken
	if c.dir == "" {
		return t
	}
	data, err := atomicfile.Read(c.file(key))
	if err != nil || atomicfile.VerifySealed(data) != nil || json.Unmarshal(data, &t) != nil {
		return cachedToken{}
	}
	return t
}

// write is best effort: without the file the next run signs in again.
func (c *tokenCache) write(key string, t cachedToken) {
	if os.MkdirAll(c.dir, 0o700) != nil {
		return
	}
	data, err := json.Marshal(t)
	if err == nil {
		data, err = atomicfile.Seal(data)
	}
	if err == nil {
		_ = atomicfile.Write(c.file(key), data, 0o600)
	}
}
