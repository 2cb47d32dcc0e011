package signin_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/test/wire"
)

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
		_, err := signin.NewAuthenticator(signin.Options{CacheDir: dir})
		if errkind.Of(err) != errkind.Invalid || !errors.Is(err, azure.ErrAuthentication) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), hidden) {
			t.Errorf("%q: %v", content, err)
		}
		if after, _ := os.ReadFile(name); string(after) != content {
			t.Errorf("%q was changed to %q", content, after)
		}
		if _, err := signin.Logout(t.Context(), dir); err != nil {
			t.Error(err)
		}
		if _, err := signin.NewAuthenticator(signin.Options{CacheDir: dir}); err != nil {
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
		if _, err := signin.NewAuthenticator(signin.Options{CacheDir: dir}); err != nil && errkind.Of(err) == errkind.Unknown {
			t.Errorf("an error without a kind: %v", err)
		}
		if after, _ := os.ReadFile(name); string(after) != string(content) {
			t.Error("the file was changed")
		}
	})
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
	f, err := signin.Logout(t.Context(), dir)
	if err != nil || f.Tokens != 1 || f.Logins != 0 {
		t.Errorf("%+v, %v", f, err)
	}
	for _, name := range []string{"azureProfile.json", "msal_token_cache.json", "notes.txt"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if f, err := signin.Logout(t.Context(), filepath.Join(dir, "absent")); err != nil || f != (signin.Forgotten{}) {
		t.Errorf("%+v, %v", f, err)
	}
}

// TestManyAtOnce starts twenty runs that need a token: one of them asks for it.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	e := local.New(t, emulator.Options{}).Emulator
	id, dir := e.Identity(), filepath.Join(t.TempDir(), "tokens")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			a, err := signin.NewAuthenticator(signin.Options{
				Cloud: wire.LocalCloud(t), TenantID: id.TenantID, SubscriptionID: id.SubscriptionID, ClientID: id.ClientID, ClientSecret: id.ClientSecret,
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
}
