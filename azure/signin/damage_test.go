package signin_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/atomicfile"
	"github.com/azlin-dev/azlin/internal/damage"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/test/wire"
)

// TestDamagedTokens spoils the file of a cached token 1,500 times: the next process has a token that Azure takes.
func TestDamagedTokens(t *testing.T) {
	t.Parallel()
	e := local.New(t, emulator.Options{Throttle: emulator.ThrottleOff}).Emulator
	id, dir := e.Identity(), t.TempDir()
	token := func() string {
		a, err := signin.NewAuthenticator(signin.Options{
			Cloud: wire.LocalCloud(t), TenantID: id.TenantID, SubscriptionID: id.SubscriptionID, ClientID: id.ClientID, ClientSecret: id.ClientSecret,
			HTTP: e.Client(), CacheDir: dir,
		})
		if err != nil {
			t.Fatal(err)
		}
		cred, err := a.Credential()
		if err != nil {
			t.Fatal(err)
		}
		at, err := cred.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://management.azure.com/.default"}})
		if err != nil {
			t.Fatal(err)
		}
		return at.Token
	}
	first := token()
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%q, %v", files, err)
	}
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if token() != first {
		t.Fatal("the cached token was not used")
	}
	random := rand.New(rand.NewPCG(3, 0))
	for i := range 1500 {
		spoilt, how := damage.Spoil(random, whole, i)
		if err := os.WriteFile(files[0], spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://management.azure.com/subscriptions/"+id.SubscriptionID+"?api-version=2021-01-01", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token())
		resp, err := e.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: Azure says %s", how, resp.Status)
		}
	}
}

// TestDamagedLogins spoils the file of the remembered sign-ins 1,500 times: its copy is used. Where that is damaged, too,
// the file is named, and nothing of it is told.
func TestDamagedLogins(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "logins.json")
	content := fmt.Sprintf(`{"version":2,"logins":[{"kind":"client-secret","authority":%q,"tenant_id":"t","client_id":"c","secret":%q,"time":"2026-01-01T00:00:00Z"}]}`, wire.LocalCloud(t).Authority, hidden)
	if err := atomicfile.Keep(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	open := func() error {
		_, err := signin.NewAuthenticator(signin.Options{Cloud: wire.LocalCloud(t), TenantID: "t", CacheDir: dir})
		return err
	}
	if err := open(); err != nil {
		t.Fatal(err)
	}
	spare := filepath.Join(dir, ".logins.json.copy")
	random := rand.New(rand.NewPCG(4, 0))
	for i := range 1500 {
		spoilt, how := damage.Spoil(random, whole, i)
		for _, file := range []string{name, spare} {
			if err := os.WriteFile(file, spoilt, 0o600); err != nil {
				t.Fatal(err)
			}
			err := open()
			switch {
			case file == name && err != nil:
				t.Fatalf("%s: %v", how, err)
			case file == spare && string(spoilt) != string(whole) &&
				(errkind.Of(err) != errkind.Invalid || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), hidden)):
				t.Fatalf("%s, and its copy: %v", how, err)
			}
		}
		if err := os.WriteFile(spare, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := signin.Logout(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".logins*")); err != nil || len(left) > 0 {
		t.Errorf("after the logout: %q, %v", left, err)
	}
}
