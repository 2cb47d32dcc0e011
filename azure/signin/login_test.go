package signin_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
)

// bubble runs f in virtual time with an emulator that knows the tests' principal.
func bubble(t *testing.T, o emulator.Options, f func(g *ground)) {
	t.Helper()
	pair()
	synctest.Test(t, func(t *testing.T) {
		o.Principals = append(o.Principals, emulator.Principal{
			Name: principalName, Secret: hidden, Certificate: pair(),
			Federated: []emulator.Federation{{Issuer: issuer, Subject: subject, Key: rsaKey().Public()}},
		})
		f(newGround(t, o))
	})
}

// forgotten checks how many sign-ins are remembered, by forgetting them.
func (g *ground) forgotten(logins int) {
	g.Helper()
	f, err := signin.Logout(g.Context(), g.dir)
	if err != nil || f.Logins != logins {
		g.Errorf("%d sign-ins were remembered, not %d: %v", f.Logins, logins, err)
	}
}

func TestLoginRemembers(t *testing.T) { //nolint:paralleltest // a managed identity's SDK reads the environment
	principal := emulator.ClientIDOf(principalName)
	for _, tc := range []struct {
		kind  signin.Kind
		with  func(g *ground, o *signin.LoginOptions)
		wrong func(g *ground, o *signin.LoginOptions)
		code  string
		keeps bool // the secret itself
	}{
		{
			kind: signin.ClientSecret, code: "AADSTS7000215", keeps: true,
			with:  func(_ *ground, o *signin.LoginOptions) { o.ClientSecret = hidden },
			wrong: func(_ *ground, o *signin.LoginOptions) { o.ClientSecret = "wrong" },
		},
		{
			kind: signin.ClientSecret, code: "AADSTS7000215",
			with: func(g *ground, o *signin.LoginOptions) {
				o.ClientSecretFile = g.write("secret", []byte(hidden+"\n"))
			},
			wrong: func(g *ground, o *signin.LoginOptions) { o.ClientSecretFile = g.write("wrong", []byte("wrong")) },
		},
		{
			kind: signin.ClientCertificate, code: "AADSTS700016",
			with:  func(g *ground, o *signin.LoginOptions) { o.CertificateFile = g.write("pair.pem", pair()) },
			wrong: func(_ *ground, o *signin.LoginOptions) { o.ClientID = "11111111-1111-1111-1111-111111111111" },
		},
		{
			kind: signin.WorkloadIdentity, code: "AADSTS700213",
			with: func(g *ground, o *signin.LoginOptions) {
				o.FederatedTokenFile = g.write("federated", g.federated(time.Hour, subject))
			},
			wrong: func(g *ground, o *signin.LoginOptions) {
				o.FederatedTokenFile = g.write("another", g.federated(time.Hour, "somebody:else"))
			},
		},
		{
			kind: signin.ManagedIdentity, code: "Identity not found",
			with:  func(g *ground, o *signin.LoginOptions) { o.ClientID = g.vmIdentity() },
			wrong: func(_ *ground, o *signin.LoginOptions) { o.ClientID = "11111111-1111-1111-1111-111111111111" },
		},
	} {
		t.Run(fmt.Sprintf("%s %t", tc.kind, tc.keeps), func(t *testing.T) { //nolint:paralleltest // as above
			t.Setenv("IDENTITY_ENDPOINT", "") // IMDS, at its fixed address
			bubble(t, emulator.Options{}, func(g *ground) {
				o := signin.LoginOptions{Options: g.base(), Kind: tc.kind}
				o.ClientID = principal
				tc.wrong(g, &o)
				if tc.kind == signin.ClientCertificate {
					o.CertificateFile = g.write("pair.pem", pair())
				}
				_, _, err := signin.Login(g.Context(), o)
				if !errors.Is(err, azure.ErrAuthentication) || errkind.Of(err) != errkind.Auth || !strings.Contains(err.Error(), tc.code) {
					g.Errorf("kind %q: %v", errkind.Of(err), err)
				}
				g.clean("the refusal", fmt.Sprint(err))
				g.forgotten(0)

				o = signin.LoginOptions{Options: g.base(), Kind: tc.kind}
				o.ClientID = principal
				tc.with(g, &o)
				if _, who, err := signin.Login(g.Context(), o); err != nil || who.UserName == "" {
					g.Fatalf("%+v, %v", who, err)
				}
				before := g.tokens()
				a, err := signin.NewAuthenticator(g.base())
				if err != nil {
					g.Fatal(err)
				}
				if _, err := a.Authenticate(g.Context()); err != nil || a.Kind() != tc.kind || g.tokens() != before {
					g.Errorf("a second run: %q, %d further tokens, %v", a.Kind(), g.tokens()-before, err)
				}
				time.Sleep(2 * time.Hour) // and one after the token's end
				if tc.kind == signin.WorkloadIdentity {
					g.write("federated", g.federated(time.Hour, subject))
				}
				if a, err = signin.NewAuthenticator(g.base()); err != nil {
					g.Fatal(err)
				}
				if _, err := a.Authenticate(g.Context()); err != nil || g.tokens() != before+1 {
					g.Errorf("a run after the token's end: %d further tokens, %v", g.tokens()-before, err)
				}
				private(g.T, g.dir)
				kept, err := os.ReadFile(filepath.Join(g.dir, "logins.json"))
				if err != nil || strings.Contains(string(kept), hidden) != tc.keeps || strings.Contains(string(kept), "PRIVATE KEY") {
					g.Errorf("remembered: %s, %v", kept, err)
				}
				g.forgotten(1)
				if left, err := filepath.Glob(filepath.Join(g.dir, "*.json")); err != nil || left != nil {
					g.Errorf("left behind: %v, %v", left, err)
				}
				if a, err = signin.NewAuthenticator(g.base()); err != nil || a.CheckLoggedIn(g.Context()) {
					g.Errorf("still signed in after the logout: %v", err)
				}
			})
		})
	}
}

// vmIdentity is a managed identity of this test's own: the SDK keeps their tokens for the whole process.
func (g *ground) vmIdentity() string {
	g.Helper()
	name := "vm-" + g.files
	if err := g.e.PutPrincipal(emulator.Principal{Name: name, Managed: true, Assigned: true}); err != nil {
		g.Fatal(err)
	}
	return emulator.ClientIDOf(name)
}

func TestAssertionsRefused(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(g *ground, o *signin.Options)
		code   string
		kind   errkind.Kind
	}{
		"another subject": {func(g *ground, o *signin.Options) {
			o.FederatedTokenFile = g.write("f", g.federated(time.Hour, "x"))
		}, "AADSTS700213", errkind.Auth},
		"an old token": {func(g *ground, o *signin.Options) {
			o.FederatedTokenFile = g.write("f", g.federated(-time.Hour, subject))
		}, "AADSTS700024", errkind.Auth},
		"no token": {func(g *ground, o *signin.Options) {
			o.FederatedTokenFile = g.write("f", []byte("garbage"))
		}, "AADSTS50027", errkind.Auth},
		"an application without certificates": {func(g *ground, o *signin.Options) {
			o.CertificateFile, o.ClientID = g.write("p", pair()), g.e.Identity().ClientID
		}, "AADSTS700027", errkind.Auth},
		"an application without federation": {func(g *ground, o *signin.Options) {
			o.FederatedTokenFile, o.ClientID = g.write("f", g.federated(time.Hour, subject)), g.e.Identity().ClientID
		}, "AADSTS700211", errkind.Auth},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, emulator.Options{}, func(g *ground) {
				o := g.base()
				o.ClientID = emulator.ClientIDOf(principalName)
				tc.change(g, &o)
				a, err := signin.NewAuthenticator(o)
				if err == nil {
					_, err = a.Authenticate(g.Context())
				}
				if errkind.Of(err) != tc.kind || !errors.Is(err, azure.ErrAuthentication) || !strings.Contains(err.Error(), tc.code) {
					g.Errorf("kind %q: %v", errkind.Of(err), err)
				}
				g.clean("the refusal", fmt.Sprint(err))
			})
		})
	}
}
