package signin_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
)

const (
	issuer  = "https://oidc.example/"
	subject = "system:serviceaccount:ci:azlin"
	hidden  = "hunter2-of-the-principal" // must be seen nowhere
)

const groupsVersion = "2021-04-01"

// kind is one way to sign in, set up against an emulator.
type kind struct {
	name   signin.Kind
	source string
	// prepare makes the files and says what to do to sign in.
	prepare func(g *ground) func() (*signin.Authenticator, error)
	// spoil makes Entra refuse the next token; code is then in the error.
	spoil func(g *ground)
	code  string
	// claims: a challenge is answered with a token that was asked for with claims.
	claims bool
	// renew keeps what the sign-in is made with up to date, every five minutes.
	renew func(g *ground)
}

const principalName = "tester"

func chainOf(g *ground, change func(o *signin.Options)) func() (*signin.Authenticator, error) {
	return func() (*signin.Authenticator, error) {
		o := g.base()
		change(&o)
		return signin.NewAuthenticator(o)
	}
}

func disable(g *ground) { g.e.Disable(principalName) }

func kinds() []kind {
	principal := emulator.ClientIDOf(principalName)
	return []kind{
		{
			name: signin.ClientSecret, source: "environment", spoil: disable, code: "AADSTS7000112", claims: true,
			prepare: func(g *ground) func() (*signin.Authenticator, error) {
				return chainOf(g, func(o *signin.Options) { o.ClientID, o.ClientSecret = principal, hidden })
			},
		},
		{
			name: signin.ClientCertificate, source: "environment", spoil: disable, code: "AADSTS7000112", claims: true,
			prepare: func(g *ground) func() (*signin.Authenticator, error) {
				file := g.write("pair.pem", pair())
				return chainOf(g, func(o *signin.Options) { o.ClientID, o.CertificateFile = principal, file })
			},
		},
		{
			name: signin.WorkloadIdentity, source: "environment", spoil: disable, code: "AADSTS7000112", claims: true,
			prepare: func(g *ground) func() (*signin.Authenticator, error) {
				file := g.write("federated", g.federated(20*time.Minute, subject))
				return chainOf(g, func(o *signin.Options) { o.ClientID, o.FederatedTokenFile = principal, file })
			},
			renew: func(g *ground) { g.write("federated", g.federated(20*time.Minute, subject)) },
		},
		{
			name: signin.ManagedIdentity, source: "environment", spoil: func(g *ground) { g.e.Disable("vm-" + filepath.Base(g.files) + g.Name()) },
			code: "No Managed Identity found",
			prepare: func(g *ground) func() (*signin.Authenticator, error) {
				// The SDK keeps managed identities' tokens for the whole process: each test has its own.
				name := "vm-" + filepath.Base(g.files) + g.Name()
				if err := g.e.PutPrincipal(emulator.Principal{Name: name, Managed: true, Assigned: true}); err != nil {
					g.Fatal(err)
				}
				g.Setenv("IDENTITY_ENDPOINT", "https://127.0.0.1:4443/msi/token")
				g.Setenv("IDENTITY_HEADER", g.e.Identity().IdentityHeader)
				return chainOf(g, func(o *signin.Options) {
					o.ClientID, o.IdentityEndpoint = emulator.ClientIDOf(name), os.Getenv("IDENTITY_ENDPOINT")
				})
			},
		},
		{
			name: signin.DeviceCode, source: "remembered sign-in", spoil: func(g *ground) { g.e.Disable("user") }, code: "AADSTS50057", claims: true,
			prepare: func(g *ground) func() (*signin.Authenticator, error) {
				first := true
				return func() (*signin.Authenticator, error) {
					if first {
						first = false
						a, _, err := signin.Login(g.Context(), signin.LoginOptions{
							Options: g.base(), Kind: signin.DeviceCode, Prompt: func(signin.DevicePrompt) {},
						})
						return a, err
					}
					return signin.NewAuthenticator(g.base())
				}
			},
		},
		{
			name: signin.AzureCLI, source: "az login", code: "az login",
			spoil: func(g *ground) { g.write("az-says", nil) },
			prepare: func(g *ground) func() (*signin.Authenticator, error) {
				id := g.e.Identity()
				profile := g.write("azureProfile.json", fmt.Appendf(nil, `{"subscriptions":[{"id":%q,"tenantId":%q,"isDefault":true,"user":{"name":"ann@example.com","type":"user"}}]}`, id.SubscriptionID, id.TenantID))
				g.azSays()
				az := g.write("az", []byte("#!/bin/sh\nif [ -s "+g.files+"/az-says ]; then cat "+g.files+"/az-says; else echo 'ERROR: Please run az login' >&2; exit 1; fi\n"))
				if err := os.Chmod(az, 0o700); err != nil { //nolint:gosec // a program
					g.Fatal(err)
				}
				g.Setenv("PATH", g.files+":/usr/bin:/bin")
				return chainOf(g, func(o *signin.Options) { o.ProfileFile = profile })
			},
			renew: func(g *ground) { g.azSays() },
		},
	}
}

// azSays has the stand-in for az give out a new token.
func (g *ground) azSays() {
	g.Helper()
	id := g.e.Identity()
	form := strings.NewReader("grant_type=client_credentials&client_id=" + id.ClientID + "&client_secret=" + id.ClientSecret + "&scope=https://management.azure.com/.default")
	req, err := http.NewRequestWithContext(g.Context(), http.MethodPost, "https://127.0.0.1:4443/"+id.TenantID+"/oauth2/v2.0/token", form)
	if err != nil {
		g.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := g.e.Client().Do(req)
	if err != nil {
		g.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var body bytes.Buffer
	if _, err := body.ReadFrom(resp.Body); err != nil {
		g.Fatal(err)
	}
	_, rest, _ := strings.Cut(body.String(), `"access_token":"`)
	token, _, ok := strings.Cut(rest, `"`)
	if !ok {
		g.Fatalf("no token in %s", body.String())
	}
	g.write("az-says", fmt.Appendf(nil, `{"accessToken":%q,"expires_on":%d}`, token, time.Now().Add(tokenLife).Unix()))
}

const tokenLife = 12 * time.Minute

// in runs f for every kind, in virtual time.
func in(t *testing.T, o emulator.Options, f func(g *ground, k kind)) {
	for _, k := range kinds() {
		t.Run(string(k.name), func(t *testing.T) { //nolint:paralleltest // some set the environment, which their SDK reads
			if k.name == signin.AzureCLI && runtime.GOOS == "windows" {
				t.Skip("the stand-in for az is a shell script")
			}
			pair() // outside of the bubble: other tests share it
			synctest.Test(t, func(t *testing.T) {
				o.TokenLifetime = tokenLife
				o.Principals = []emulator.Principal{{
					Name: principalName, Secret: hidden, Certificate: pair(),
					Federated: []emulator.Federation{{Issuer: issuer, Subject: subject, Key: rsaKey().Public()}},
				}}
				g := newGround(t, o)
				f(g, k)
				g.clean("the log", g.log.String())
			})
		})
	}
}

// keepRenewing does what the world around azlin does while time passes.
func (g *ground) keepRenewing(k kind) {
	if k.renew == nil {
		return
	}
	ctx, stop := context.WithCancel(g.Context())
	g.Cleanup(stop)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(5 * time.Minute):
				if ctx.Err() == nil {
					k.renew(g)
				}
			}
		}
	}()
}

func TestEveryKindSignsIn(t *testing.T) { //nolint:paralleltest // some set the environment
	in(t, emulator.Options{}, func(g *ground, k kind) {
		signIn := k.prepare(g)
		a, err := signIn()
		if err != nil {
			g.Fatal(err)
		}
		who, err := a.Authenticate(g.Context())
		if err != nil || who.SubscriptionID != g.e.Identity().SubscriptionID || who.UserName == "" {
			g.Fatalf("%+v, %v", who, err)
		}
		if a.Kind() != k.name || a.Method() == "" {
			g.Errorf("signed in by %q (%s)", a.Kind(), a.Method())
		}
		chosen := 0
		for _, c := range a.Choices() {
			if c.Chosen {
				chosen++
				if c.Kind != k.name || c.Source != k.source {
					g.Errorf("chosen: %+v", c)
				}
			}
			if c.Reason == "" {
				g.Errorf("no reason: %+v", c)
			}
			g.clean("a reason", c.Reason)
		}
		if chosen != 1 || k.source != "remembered sign-in" && len(a.Choices()) < 6 {
			g.Errorf("choices: %+v", a.Choices())
		}
		if _, err := g.open(a).Do(g.Context(), http.MethodGet, "/subscriptions", groupsVersion, nil); err != nil {
			g.Error(err)
		}
		if until := time.Until(a.CachedUntil()); until < 10*time.Minute || until > tokenLife {
			g.Errorf("the cache holds a token for %s", until)
		}

		// A second run, that is a new process, makes no token request.
		before := g.tokens()
		again, err := signIn()
		if err != nil {
			g.Fatal(err)
		}
		if _, err := g.open(again).Do(g.Context(), http.MethodGet, "/subscriptions", groupsVersion, nil); err != nil {
			g.Error(err)
		}
		if again.Kind() != k.name || g.tokens() != before || before == 0 {
			g.Errorf("a second run signed in by %q and got %d tokens beside %d", again.Kind(), g.tokens()-before, before)
		}
		private(g.T, g.dir)
	})
}

func TestEveryKindIsRefused(t *testing.T) { //nolint:paralleltest // some set the environment
	in(t, emulator.Options{}, func(g *ground, k kind) {
		signIn := k.prepare(g)
		if k.name == signin.DeviceCode {
			if _, err := signIn(); err != nil { // the refusal is that of the refresh token
				g.Fatal(err)
			}
			time.Sleep(tokenLife)
		}
		k.spoil(g)
		a, err := signIn()
		if err != nil {
			g.Fatal(err)
		}
		_, err = a.Authenticate(g.Context())
		if !errors.Is(err, azure.ErrAuthentication) || errkind.Of(err) != errkind.Auth || !strings.Contains(err.Error(), k.code) {
			g.Errorf("kind %q: %v", errkind.Of(err), err)
		}
		g.clean("the refusal", fmt.Sprint(err))
		if a.CheckLoggedIn(g.Context()) {
			g.Error("signed in all the same")
		}
	})
}

// TestTokenEndsDuringOperation deletes a group that takes four lives of a token.
func TestTokenEndsDuringOperation(t *testing.T) { //nolint:paralleltest // some set the environment
	slow := emulator.Options{Realistic: true, Duration: func(kind string) time.Duration {
		if kind == "group.delete" {
			return 45 * time.Minute
		}
		return time.Second
	}}
	start := func(g *ground, k kind) (*azure.Client, error) {
		a, err := k.prepare(g)()
		if err != nil {
			return nil, err
		}
		c := g.open(a)
		_, err = c.Do(g.Context(), http.MethodPut, g.group(), groupsVersion, map[string]any{"location": "westus2"})
		return c, err
	}
	t.Run("renewed", func(t *testing.T) { //nolint:paralleltest // as above
		in(t, slow, func(g *ground, k kind) {
			c, err := start(g, k)
			if err != nil {
				g.Fatal(err)
			}
			g.keepRenewing(k)
			began, before := time.Now(), g.tokens()
			if _, err := c.DoOperation(g.Context(), http.MethodDelete, g.group(), groupsVersion, nil, nil); err != nil {
				g.Fatal(err)
			}
			if took := time.Since(began); took < 40*time.Minute {
				g.Errorf("the operation took %s", took)
			}
			if n := g.tokens() - before; n < 3 || n > 12 {
				g.Errorf("%d further tokens within four lives", n)
			}
			if _, err := c.Do(g.Context(), http.MethodGet, g.group(), groupsVersion, nil); !azure.IsNotFound(err) {
				g.Errorf("the group is still there: %v", err)
			}
		})
	})
	t.Run("refused", func(t *testing.T) { //nolint:paralleltest // as above
		in(t, slow, func(g *ground, k kind) {
			c, err := start(g, k)
			if err != nil {
				g.Fatal(err)
			}
			go func() {
				time.Sleep(time.Minute)
				k.spoil(g)
			}()
			_, err = c.DoOperation(g.Context(), http.MethodDelete, g.group(), groupsVersion, nil, nil)
			if errkind.Of(err) != errkind.Auth || !errors.Is(err, azure.ErrAuthentication) || !strings.Contains(err.Error(), k.code) {
				g.Errorf("kind %q: %v", errkind.Of(err), err)
			}
			g.clean("the error", fmt.Sprint(err))
		})
	})
}

// TestClaimsChallenge revokes the tokens given out. The next request gets a new one, which the cache
// must not stand in the way of.
func TestClaimsChallenge(t *testing.T) { //nolint:paralleltest // some set the environment
	in(t, emulator.Options{}, func(g *ground, k kind) {
		signIn := k.prepare(g)
		a, err := signIn()
		if err != nil {
			g.Fatal(err)
		}
		get := func(a *signin.Authenticator) error {
			_, err := g.open(a).Do(g.Context(), http.MethodGet, "/subscriptions", groupsVersion, nil)
			return err
		}
		if err := get(a); err != nil {
			g.Fatal(err)
		}
		before := g.tokens()
		g.e.Challenge()
		err = get(a)
		if k.name == signin.AzureCLI {
			// Only az can answer it, in a browser.
			if errkind.Of(err) != errkind.Auth || !strings.Contains(err.Error(), "az login") {
				g.Errorf("kind %q: %v", errkind.Of(err), err)
			}
			return
		}
		if err != nil {
			g.Fatal(err)
		}
		if n := g.e.Counts().Tokens["claims"]; g.tokens() != before+1 || k.claims && n != 1 {
			g.Errorf("%d further tokens, %d with claims", g.tokens()-before, n)
		}
		// The new token is kept for the next run.
		again, err := signIn()
		if err == nil {
			err = get(again)
		}
		if err != nil || g.tokens() != before+1 {
			g.Errorf("a second run got %d further tokens, %v", g.tokens()-before-1, err)
		}
	})
}
