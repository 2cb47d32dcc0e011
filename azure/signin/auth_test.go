package signin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/test/wire"
)

// entra is a token endpoint.
type entra struct {
	tokens int    // handed out
	life   int    // of a token, seconds
	refuse string // error description
	bodies []string
}

func (e *entra) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
		base := "https://" + r.Host + "/tenant"
		wire.Reply(w, 200, fmt.Sprintf(`{"issuer":"%[1]s/v2.0","authorization_endpoint":"%[1]s/oauth2/v2.0/authorize","token_endpoint":"%[1]s/oauth2/v2.0/token"}`, base))
	case strings.HasSuffix(r.URL.Path, "/oauth2/v2.0/token"):
		_ = r.ParseForm()
		e.bodies = append(e.bodies, r.PostForm.Encode())
		if e.refuse != "" {
			wire.Reply(w, 401, `{"error":"invalid_client","error_description":"`+e.refuse+`"}`)
			return
		}
		e.tokens++
		wire.Reply(w, 200, fmt.Sprintf(`{"token_type":"Bearer","expires_in":%d,"access_token":"token-%d"}`, e.life, e.tokens))
	default:
		http.NotFound(w, r)
	}
}

func principal(t *testing.T, e *entra, dir string) *signin.Authenticator {
	t.Helper()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := signin.NewAuthenticator(signin.Options{
		Cloud: wire.LocalCloud(t), TenantID: "aaaaaaaa-0000-0000-0000-000000000000", ClientID: "client", ClientSecretFile: secret,
		SubscriptionID: wire.Subscription, CacheDir: dir, HTTP: &http.Client{Transport: wire.Handler(e.serve)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestServicePrincipal(t *testing.T) {
	t.Parallel()
	e := &entra{life: 3600}
	dir := filepath.Join(t.TempDir(), "tokens")
	got, err := principal(t, e, dir).Authenticate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got.SubscriptionID != wire.Subscription || got.UserName != "client" || got.TenantID == "" {
		t.Errorf("signed in as %+v", got)
	}
	if len(e.bodies) != 1 || !strings.Contains(e.bodies[0], "client_secret=hunter2&") || !strings.Contains(e.bodies[0], "management.azure.com%2F.default") {
		t.Errorf("token requests: %q", e.bodies)
	}
	// A second run, that is a new process, asks nobody.
	if !principal(t, e, dir).CheckLoggedIn(t.Context()) || e.tokens != 1 {
		t.Errorf("%d tokens for two runs", e.tokens)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("cache: %v, %v", files, err)
	}
	if info, err := os.Stat(files[0]); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode of the token file: %v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(dir); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
		t.Errorf("mode of the token directory: %v, %v", info.Mode(), err)
	}
	if data, _ := os.ReadFile(files[0]); strings.Contains(string(data), "hunter2") {
		t.Error("the secret is in the cache")
	}
}

func TestSignInRefused(t *testing.T) {
	t.Parallel()
	e := &entra{refuse: "AADSTS7000215: Invalid client secret provided. Trace ID: 1 Correlation ID: 2"}
	a := principal(t, e, t.TempDir())
	_, err := a.Authenticate(t.Context())
	if !errors.Is(err, azure.ErrAuthentication) || errkind.Of(err) != errkind.Auth || !strings.Contains(err.Error(), "AADSTS7000215") {
		t.Errorf("got %v", err)
	}
	if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "Trace ID") {
		t.Errorf("too much in %v", err)
	}
	if a.CheckLoggedIn(t.Context()) {
		t.Error("logged in all the same")
	}
}

func TestTokenCache(t *testing.T) {
	t.Parallel()
	ask := policy.TokenRequestOptions{Scopes: []string{"https://management.azure.com/.default"}, EnableCAE: true}
	t.Run("claims bypass it", func(t *testing.T) {
		t.Parallel()
		e := &entra{life: 3600}
		dir := t.TempDir()
		cred, err := principal(t, e, dir).Credential()
		if err != nil {
			t.Fatal(err)
		}
		first, _ := cred.GetToken(t.Context(), ask)
		claims := ask
		claims.Claims = `{"access_token":{"nbf":{"essential":true,"value":"1"}}}`
		second, err := cred.GetToken(t.Context(), claims)
		if err != nil || second.Token == first.Token {
			t.Fatalf("%v: token %q after %q", err, second.Token, first.Token)
		}
		other, err := principal(t, e, dir).Credential()
		if err != nil {
			t.Fatal(err)
		}
		if third, _ := other.GetToken(t.Context(), ask); third.Token != second.Token {
			t.Errorf("the renewed token was not kept: %q", third.Token)
		}
	})
	t.Run("renewed before its end", func(t *testing.T) {
		t.Parallel()
		e := &entra{life: 120}
		dir := t.TempDir()
		for i := range 2 {
			cred, err := principal(t, e, dir).Credential()
			if err != nil {
				t.Fatal(err)
			}
			at, err := cred.GetToken(t.Context(), ask)
			if err != nil || at.Token != fmt.Sprintf("token-%d", i+1) {
				t.Errorf("run %d: %q, %v", i, at.Token, err)
			}
		}
		// While renewing fails, the old one is used as long as it lives.
		e.refuse = "AADSTS90033: A transient error has occurred."
		cred, err := principal(t, e, dir).Credential()
		if err != nil {
			t.Fatal(err)
		}
		if at, err := cred.GetToken(t.Context(), ask); err != nil || at.Token != "token-2" {
			t.Errorf("%q, %v", at.Token, err)
		}
	})
	t.Run("another tenant or client", func(t *testing.T) {
		t.Parallel()
		e := &entra{life: 3600}
		dir := t.TempDir()
		if !principal(t, e, dir).CheckLoggedIn(t.Context()) {
			t.Fatal("not signed in")
		}
		a, err := signin.NewAuthenticator(signin.Options{
			Cloud: wire.LocalCloud(t), TenantID: "aaaaaaaa-0000-0000-0000-000000000000", ClientID: "another", ClientSecret: "x",
			CacheDir: dir, HTTP: &http.Client{Transport: wire.Handler(e.serve)},
		})
		if err != nil {
			t.Fatal(err)
		}
		if !a.CheckLoggedIn(t.Context()) || e.tokens != 2 {
			t.Errorf("%d tokens for two clients", e.tokens)
		}
	})
	t.Run("damaged file", func(t *testing.T) {
		t.Parallel()
		e := &entra{life: 3600}
		dir := t.TempDir()
		for range 2 {
			if !principal(t, e, dir).CheckLoggedIn(t.Context()) {
				t.Fatal("not signed in")
			}
			files, _ := filepath.Glob(filepath.Join(dir, "*.json"))
			if err := os.WriteFile(files[0], []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if e.tokens != 2 {
			t.Errorf("%d tokens", e.tokens)
		}
	})
}

func TestNobodySignedIn(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]signin.Options{
		"nothing set":        {},
		"no Azure CLI login": {ProfileFile: filepath.Join(t.TempDir(), "azureProfile.json")},
	} {
		a, err := signin.NewAuthenticator(o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := a.Authenticate(t.Context()); !errors.Is(err, azure.ErrAuthentication) || errkind.Of(err) != errkind.Auth {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := a.SubscriptionID(); !errors.Is(err, azure.ErrAuthentication) {
			t.Errorf("%s: subscription: %v", name, err)
		}
		if _, err := a.Credential(); err == nil || a.CheckLoggedIn(t.Context()) {
			t.Errorf("%s: there is a credential", name)
		}
	}
}

// TestAzureCLI drives the real credential with an az that counts how often it is called.
func TestAzureCLI(t *testing.T) { //nolint:paralleltest // sets PATH
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in for az is a shell script")
	}
	dir := t.TempDir()
	calls := filepath.Join(dir, "calls")
	az := fmt.Sprintf("#!/bin/sh\necho \"$@\" >>%s\nprintf '{\"accessToken\":\"cli-token\",\"expires_on\":%d}'\n", calls, time.Now().Add(time.Hour).Unix())
	if err := os.WriteFile(filepath.Join(dir, "az"), []byte(az), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	profile := filepath.Join(dir, "azureProfile.json")
	if err := os.WriteFile(profile, []byte(profileJSON), 0o600); err != nil {
		t.Fatal(err)
	}
	login := func(want string) {
		t.Helper()
		a, err := signin.NewAuthenticator(signin.Options{ProfileFile: profile, CacheDir: filepath.Join(dir, "tokens")})
		if err != nil {
			t.Fatal(err)
		}
		got, err := a.Authenticate(t.Context())
		if err != nil || got.SubscriptionID != "s-2" || got.TenantID != "t-2" || got.UserName != "ann@example.com" {
			t.Fatalf("%+v, %v", got, err)
		}
		data, _ := os.ReadFile(calls)
		if n := strings.Count(string(data), "\n"); fmt.Sprint(n) != want || !strings.Contains(string(data), "--subscription s-2") {
			t.Errorf("az was called %d times, want %s: %s", n, want, data)
		}
	}
	login("1")
	login("1")
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(profile, later, later); err != nil { // as az login does
		t.Fatal(err)
	}
	login("2")
}

func TestUnreachableTokenEndpoint(t *testing.T) {
	t.Parallel()
	a, err := signin.NewAuthenticator(signin.Options{
		Cloud: wire.LocalCloud(t), TenantID: "aaaaaaaa-0000-0000-0000-000000000000", ClientID: "c", ClientSecret: "s",
		HTTP: &http.Client{Transport: unreachable{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := a.Authenticate(ctx); errkind.Of(err) != errkind.Unreachable {
		t.Errorf("kind %q: %v", errkind.Of(err), err)
	}
}

type unreachable struct{}

func (unreachable) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("dial tcp 127.0.0.1:4443: connect: connection refused")
}
