package azure_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azlin-dev/azlin/azure"
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

func (g *ground) device(prompt func(azure.DevicePrompt)) (*azure.Authenticator, azure.Credentials, error) {
	return azure.Login(g.Context(), azure.LoginOptions{AuthOptions: g.base(), Kind: azure.DeviceCode, Prompt: prompt})
}

func TestDeviceCodeLogin(t *testing.T) {
	t.Parallel()
	t.Run("pending, then approved", func(t *testing.T) {
		t.Parallel()
		bubble(t, emulator.Options{Devices: emulator.DevicePolicy{Hold: true}}, func(g *ground) {
			prompts := 0
			began := time.Now()
			_, who, err := g.device(func(p azure.DevicePrompt) {
				prompts++
				if !strings.Contains(p.Message, p.UserCode) || !strings.Contains(p.Message, p.VerificationURL) || time.Until(p.ExpiresOn) < time.Minute {
					g.Errorf("prompt %+v", p)
				}
				go func() {
					time.Sleep(2 * time.Minute)
					if !g.e.DecideDevice(p.UserCode, true) {
						g.Errorf("no device waits with code %s", p.UserCode)
					}
				}()
			})
			if err != nil || who.UserName != "developer@local.onmicrosoft.com" || who.TenantID != g.e.Identity().TenantID || prompts != 1 {
				g.Errorf("%+v, %d prompts, %v", who, prompts, err)
			}
			if waited := time.Since(began); waited < 2*time.Minute || waited > 3*time.Minute {
				g.Errorf("signed in after %s", waited)
			}
		})
	})
	t.Run("declined", func(t *testing.T) {
		t.Parallel()
		bubble(t, emulator.Options{Devices: emulator.DevicePolicy{Hold: true}}, func(g *ground) {
			_, _, err := g.device(func(p azure.DevicePrompt) { g.e.DecideDevice(p.UserCode, false) })
			if !errors.Is(err, azure.ErrAuthentication) || errkind.Of(err) != errkind.Auth || !strings.Contains(err.Error(), "AADSTS70017") {
				g.Errorf("kind %q: %v", errkind.Of(err), err)
			}
			g.forgotten(0)
		})
	})
	t.Run("expired", func(t *testing.T) {
		t.Parallel()
		bubble(t, emulator.Options{Devices: emulator.DevicePolicy{Hold: true}}, func(g *ground) {
			began := time.Now()
			_, _, err := g.device(func(azure.DevicePrompt) {})
			if !errors.Is(err, azure.ErrAuthentication) || errkind.Of(err) != errkind.Auth || !strings.Contains(err.Error(), "expired") {
				g.Errorf("kind %q: %v", errkind.Of(err), err)
			}
			if waited := time.Since(began); waited < 14*time.Minute || waited > 16*time.Minute {
				g.Errorf("gave up after %s", waited)
			}
			g.forgotten(0)
		})
	})
	t.Run("the tenant is the person's", func(t *testing.T) {
		t.Parallel()
		bubble(t, emulator.Options{}, func(g *ground) {
			o := g.base()
			o.TenantID = ""
			_, who, err := azure.Login(g.Context(), azure.LoginOptions{AuthOptions: o, Kind: azure.DeviceCode, Prompt: func(azure.DevicePrompt) {}})
			if err != nil || who.TenantID != g.e.Identity().TenantID {
				g.Fatalf("%+v, %v", who, err)
			}
			// With and without the tenant it is the same sign-in; in another one Entra decides.
			for tenant, ok := range map[string]bool{"": true, who.TenantID: true, "11111111-1111-1111-1111-111111111111": false} {
				o.TenantID = tenant
				a, err := azure.NewAuthenticator(o)
				if err != nil || a.Kind() != azure.DeviceCode {
					g.Fatalf("%q, %v", a.Kind(), err)
				}
				if _, err := a.Authenticate(g.Context()); (err == nil) != ok || !ok && errkind.Of(err) != errkind.Auth {
					g.Errorf("tenant %q: kind %q: %v", tenant, errkind.Of(err), err)
				}
			}
		})
	})
	t.Run("the refresh token lasts", func(t *testing.T) {
		t.Parallel()
		bubble(t, emulator.Options{Devices: emulator.DevicePolicy{Polls: 2}}, func(g *ground) {
			if _, _, err := g.device(func(azure.DevicePrompt) {}); err != nil {
				g.Fatal(err)
			}
			time.Sleep(72 * time.Hour)
			for run := range 2 { // the token has ended: the first run renews it, the second asks nobody
				a, err := azure.NewAuthenticator(g.base())
				if err != nil {
					g.Fatal(err)
				}
				if _, err := a.Authenticate(g.Context()); err != nil {
					g.Errorf("run %d: %v", run, err)
				}
			}
			want := map[string]int{"device_code": 1, "refresh_token": 1}
			if got := g.e.Counts().Tokens; !maps.Equal(got, want) {
				g.Errorf("tokens %v, want %v", got, want)
			}
		})
	})
	t.Run("the refresh token is gone", func(t *testing.T) {
		t.Parallel()
		bubble(t, emulator.Options{}, func(g *ground) {
			if _, _, err := g.device(func(azure.DevicePrompt) {}); err != nil {
				g.Fatal(err)
			}
			files, err := filepath.Glob(filepath.Join(g.dir, "msal-*.json"))
			if err != nil || len(files) != 1 {
				g.Fatalf("%v, %v", files, err)
			}
			g.write("tokens/"+filepath.Base(files[0]), []byte("{damaged"))
			time.Sleep(2 * time.Hour)
			a, err := azure.NewAuthenticator(g.base())
			if err != nil {
				g.Fatal(err)
			}
			_, err = a.Authenticate(g.Context())
			next := ""
			for e := range errkind.All(err) {
				next += e.Next
			}
			if !errors.Is(err, azure.ErrAuthentication) || errkind.Of(err) != errkind.Auth || next != "azlin login --device-code" {
				g.Errorf("kind %q, next %q: %v", errkind.Of(err), next, err)
			}
		})
	})
}

// forgotten checks how many sign-ins are remembered, by forgetting them.
func (g *ground) forgotten(logins int) {
	g.Helper()
	f, err := azure.Logout(g.Context(), g.dir)
	if err != nil || f.Logins != logins {
		g.Errorf("%d sign-ins were remembered, not %d: %v", f.Logins, logins, err)
	}
}

func TestLoginRemembers(t *testing.T) { //nolint:paralleltest // a managed identity's SDK reads the environment
	principal := emulator.ClientIDOf(principalName)
	for _, tc := range []struct {
		kind  azure.Kind
		with  func(g *ground, o *azure.LoginOptions)
		wrong func(g *ground, o *azure.LoginOptions)
		code  string
		keeps bool // the secret itself
	}{
		{
			kind: azure.ClientSecret, code: "AADSTS7000215", keeps: true,
			with:  func(_ *ground, o *azure.LoginOptions) { o.ClientSecret = hidden },
			wrong: func(_ *ground, o *azure.LoginOptions) { o.ClientSecret = "wrong" },
		},
		{
			kind: azure.ClientSecret, code: "AADSTS7000215",
			with: func(g *ground, o *azure.LoginOptions) {
				o.ClientSecretFile = g.write("secret", []byte(hidden+"\n"))
			},
			wrong: func(g *ground, o *azure.LoginOptions) { o.ClientSecretFile = g.write("wrong", []byte("wrong")) },
		},
		{
			kind: azure.ClientCertificate, code: "AADSTS700016",
			with:  func(g *ground, o *azure.LoginOptions) { o.CertificateFile = g.write("pair.pem", pair()) },
			wrong: func(_ *ground, o *azure.LoginOptions) { o.ClientID = "11111111-1111-1111-1111-111111111111" },
		},
		{
			kind: azure.WorkloadIdentity, code: "AADSTS700213",
			with: func(g *ground, o *azure.LoginOptions) {
				o.FederatedTokenFile = g.write("federated", g.federated(time.Hour, subject))
			},
			wrong: func(g *ground, o *azure.LoginOptions) {
				o.FederatedTokenFile = g.write("another", g.federated(time.Hour, "somebody:else"))
			},
		},
		{
			kind: azure.ManagedIdentity, code: "Identity not found",
			with:  func(g *ground, o *azure.LoginOptions) { o.ClientID = g.vmIdentity() },
			wrong: func(_ *ground, o *azure.LoginOptions) { o.ClientID = "11111111-1111-1111-1111-111111111111" },
		},
	} {
		t.Run(fmt.Sprintf("%s %t", tc.kind, tc.keeps), func(t *testing.T) { //nolint:paralleltest // as above
			t.Setenv("IDENTITY_ENDPOINT", "") // IMDS, at its fixed address
			bubble(t, emulator.Options{}, func(g *ground) {
				o := azure.LoginOptions{AuthOptions: g.base(), Kind: tc.kind}
				o.ClientID = principal
				tc.wrong(g, &o)
				if tc.kind == azure.ClientCertificate {
					o.CertificateFile = g.write("pair.pem", pair())
				}
				_, _, err := azure.Login(g.Context(), o)
				if !errors.Is(err, azure.ErrAuthentication) || errkind.Of(err) != errkind.Auth || !strings.Contains(err.Error(), tc.code) {
					g.Errorf("kind %q: %v", errkind.Of(err), err)
				}
				g.clean("the refusal", fmt.Sprint(err))
				g.forgotten(0)

				o = azure.LoginOptions{AuthOptions: g.base(), Kind: tc.kind}
				o.ClientID = principal
				tc.with(g, &o)
				if _, who, err := azure.Login(g.Context(), o); err != nil || who.UserName == "" {
					g.Fatalf("%+v, %v", who, err)
				}
				before := g.tokens()
				a, err := azure.NewAuthenticator(g.base())
				if err != nil {
					g.Fatal(err)
				}
				if _, err := a.Authenticate(g.Context()); err != nil || a.Kind() != tc.kind || g.tokens() != before {
					g.Errorf("a second run: %q, %d further tokens, %v", a.Kind(), g.tokens()-before, err)
				}
				time.Sleep(2 * time.Hour) // and one after the token's end
				if tc.kind == azure.WorkloadIdentity {
					g.write("federated", g.federated(time.Hour, subject))
				}
				if a, err = azure.NewAuthenticator(g.base()); err != nil {
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
				if a, err = azure.NewAuthenticator(g.base()); err != nil || a.CheckLoggedIn(g.Context()) {
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
		change func(g *ground, o *azure.AuthOptions)
		code   string
		kind   errkind.Kind
	}{
		"another subject": {func(g *ground, o *azure.AuthOptions) {
			o.FederatedTokenFile = g.write("f", g.federated(time.Hour, "x"))
		}, "AADSTS700213", errkind.Auth},
		"an old token": {func(g *ground, o *azure.AuthOptions) {
			o.FederatedTokenFile = g.write("f", g.federated(-time.Hour, subject))
		}, "AADSTS700024", errkind.Auth},
		"no token": {func(g *ground, o *azure.AuthOptions) {
			o.FederatedTokenFile = g.write("f", []byte("garbage"))
		}, "AADSTS50027", errkind.Auth},
		"an application without certificates": {func(g *ground, o *azure.AuthOptions) {
			o.CertificateFile, o.ClientID = g.write("p", pair()), g.e.Identity().ClientID
		}, "AADSTS700027", errkind.Auth},
		"an application without federation": {func(g *ground, o *azure.AuthOptions) {
			o.FederatedTokenFile, o.ClientID = g.write("f", g.federated(time.Hour, subject)), g.e.Identity().ClientID
		}, "AADSTS700211", errkind.Auth},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, emulator.Options{}, func(g *ground) {
				o := g.base()
				o.ClientID = emulator.ClientIDOf(principalName)
				tc.change(g, &o)
				a, err := azure.NewAuthenticator(o)
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

// TestChain checks the order of the ways to sign in, one after the other taken away.
func TestChain(t *testing.T) {
	t.Parallel()
	bubble(t, emulator.Options{}, func(g *ground) {
		if _, _, err := g.device(func(azure.DevicePrompt) {}); err != nil {
			g.Fatal(err)
		}
		o := g.base()
		o.ClientID, o.ClientSecret, o.IdentityEndpoint = emulator.ClientIDOf(principalName), hidden, "https://127.0.0.1:4443/msi/token"
		o.CertificateFile, o.FederatedTokenFile = g.write("pair.pem", pair()), g.write("f", g.federated(time.Hour, subject))
		o.ProfileFile = g.write("azureProfile.json", []byte(profileJSON))
		o.SubscriptionID = ""
		for _, step := range []struct {
			kind azure.Kind
			drop func()
		}{
			{azure.ClientSecret, func() { o.ClientSecret = "" }},
			{azure.ClientCertificate, func() { o.CertificateFile = "" }},
			{azure.WorkloadIdentity, func() { o.FederatedTokenFile = "" }},
			{azure.ManagedIdentity, func() { o.IdentityEndpoint, o.ClientID = "", "" }},
			{azure.DeviceCode, func() { g.forgotten(1) }},
			{azure.AzureCLI, func() { o.ProfileFile = "" }},
			{"", func() {}},
		} {
			a, err := azure.NewAuthenticator(o)
			if err != nil || a.Kind() != step.kind {
				g.Errorf("%q was chosen, want %q: %v", a.Kind(), step.kind, err)
			}
			var reasons []string
			for _, c := range a.Choices() {
				reasons = append(reasons, fmt.Sprintf("%s %s %t: %s", c.Source, c.Kind, c.Chosen, c.Reason))
			}
			at := slices.IndexFunc(a.Choices(), func(c azure.Choice) bool { return c.Chosen })
			for i, c := range a.Choices() {
				if step.kind != "" && i > at && !strings.Contains(c.Reason, "is there too, but "+step.kind.String()) {
					g.Errorf("with %s: %q", step.kind, reasons)
				}
			}
			step.drop()
		}
	})
}

func TestHalfConfigured(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "f")
	if err := os.WriteFile(file, []byte("nothing of use"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		o    azure.AuthOptions
		kind errkind.Kind
		says string
	}{
		"a client id alone":           {azure.AuthOptions{ClientID: "c", TenantID: "t"}, errkind.Invalid, "secret"},
		"no tenant":                   {azure.AuthOptions{ClientID: "c"}, errkind.Invalid, "tenant"},
		"a secret alone":              {azure.AuthOptions{ClientSecret: hidden, TenantID: "t"}, errkind.Invalid, "client id"},
		"a certificate alone":         {azure.AuthOptions{CertificateFile: file}, errkind.Invalid, "client id"},
		"a federated token alone":     {azure.AuthOptions{FederatedTokenFile: file}, errkind.Invalid, "client id"},
		"an absent secret":            {azure.AuthOptions{ClientID: "c", TenantID: "t", ClientSecretFile: file + "x"}, errkind.Prerequisite, file + "x"},
		"an absent certificate":       {azure.AuthOptions{ClientID: "c", TenantID: "t", CertificateFile: file + "x"}, errkind.Prerequisite, file + "x"},
		"an absent federated token":   {azure.AuthOptions{ClientID: "c", TenantID: "t", FederatedTokenFile: file + "x"}, errkind.Prerequisite, file + "x"},
		"something else":              {azure.AuthOptions{ClientID: "c", TenantID: "t", CertificateFile: file}, errkind.Invalid, "PEM"},
		"a certificate without a key": {azure.AuthOptions{ClientID: "c", TenantID: "t", CertificateFile: writeKeyless(t, dir)}, errkind.Invalid, "key"},
	} {
		_, err := azure.NewAuthenticator(tc.o)
		if errkind.Of(err) != tc.kind || !strings.Contains(fmt.Sprint(err), tc.says) || strings.Contains(fmt.Sprint(err), hidden) {
			t.Errorf("%s: kind %q: %v", name, errkind.Of(err), err)
		}
	}
}

func writeKeyless(t *testing.T, dir string) string {
	t.Helper()
	name := filepath.Join(dir, "keyless.pem")
	cert, _, _ := strings.Cut(string(pair()), "-----BEGIN PRIVATE")
	if err := os.WriteFile(name, []byte(cert), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestLoginRefusesNonsense(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]azure.LoginOptions{
		"no directory": {Kind: azure.DeviceCode, Prompt: func(azure.DevicePrompt) {}},
		"no prompt":    {Kind: azure.DeviceCode, AuthOptions: azure.AuthOptions{CacheDir: t.TempDir()}},
		"az's own":     {Kind: azure.AzureCLI, AuthOptions: azure.AuthOptions{CacheDir: t.TempDir()}},
		"no client":    {Kind: azure.ClientSecret, AuthOptions: azure.AuthOptions{CacheDir: t.TempDir(), ClientSecret: hidden}},
	} {
		if _, _, err := azure.Login(t.Context(), o); errkind.Of(err) != errkind.Invalid || strings.Contains(err.Error(), hidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBrokenLogins looks at what is remembered after damage: a named error, and the file left alone.
func TestBrokenLogins(t *testing.T) {
	t.Parallel()
	for content, says := range map[string]string{
		`{"version":1,"logins":[{"secret":"` + hidden + `",]}`: "line 1, column",
		"{\n\"version\":1,\n\"logins\":oops}":                  "line 3, column 10",
		`{"version":1,"logins":3}`:                             "not what azlin writes",
		`{"version":9}`:                                        "version is 9",
		``:                                                     "line 1",
	} {
		dir := t.TempDir()
		name := filepath.Join(dir, "logins.json")
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := azure.NewAuthenticator(azure.AuthOptions{CacheDir: dir})
		if errkind.Of(err) != errkind.Invalid || !errors.Is(err, azure.ErrAuthentication) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), hidden) {
			t.Errorf("%q: %v", content, err)
		}
		if after, _ := os.ReadFile(name); string(after) != content {
			t.Errorf("%q was changed to %q", content, after)
		}
		if _, err := azure.Logout(t.Context(), dir); err != nil {
			t.Error(err)
		}
		if _, err := azure.NewAuthenticator(azure.AuthOptions{CacheDir: dir}); err != nil {
			t.Errorf("after the logout: %v", err)
		}
	}
}

func FuzzLogins(f *testing.F) {
	f.Add([]byte(`{"version":1,"logins":[{"kind":"device-code","authority":"https://login.microsoftonline.com"}]}`))
	f.Add([]byte(`{"version":1,"logins":[{"kind":"client-secret","client_id":"c","tenant_id":"t","secret":"s","authority":"https://login.microsoftonline.com"}]}`))
	f.Add([]byte("{"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, content []byte) {
		name := filepath.Join(dir, "logins.json")
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := azure.NewAuthenticator(azure.AuthOptions{CacheDir: dir}); err != nil && errkind.Of(err) == errkind.Unknown {
			t.Errorf("an error without a kind: %v", err)
		}
		if after, _ := os.ReadFile(name); string(after) != string(content) {
			t.Error("the file was changed")
		}
	})
}

// TestManyAtOnce starts twenty runs that need a token: one of them asks for it.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	e, err := emulator.New(emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	id, dir := e.Identity(), filepath.Join(t.TempDir(), "tokens")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			a, err := azure.NewAuthenticator(azure.AuthOptions{
				Cloud: localCloud(t), TenantID: id.TenantID, SubscriptionID: id.SubscriptionID, ClientID: id.ClientID, ClientSecret: id.ClientSecret,
				CacheDir: dir, HTTP: e.Client(),
			})
			if err == nil {
				_, err = a.Authenticate(t.Context())
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := e.Counts().Tokens["secret"]; n != 1 {
		t.Errorf("%d tokens for twenty runs", n)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// TestLogoutLeavesTheRest keeps what is not azlin's.
func TestLogoutLeavesTheRest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"azureProfile.json", "msal_token_cache.json", "notes.txt", strings.Repeat("a", 32) + ".json"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, err := azure.Logout(t.Context(), dir)
	if err != nil || f.Tokens != 1 || f.Logins != 0 {
		t.Errorf("%+v, %v", f, err)
	}
	for _, name := range []string{"azureProfile.json", "msal_token_cache.json", "notes.txt"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if f, err := azure.Logout(t.Context(), filepath.Join(dir, "absent")); err != nil || f != (azure.Forgotten{}) {
		t.Errorf("%+v, %v", f, err)
	}
}
