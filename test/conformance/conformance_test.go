package conformance_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/test/conformance"
)

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHDwQ0Uu1rR9rT1p1wOq8r1b1rGq3i0cN4kYw4C6y0Wv test"

func load(t testing.TB) []conformance.Case {
	t.Helper()
	cases, err := conformance.Load()
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// variables are what the cases refer to.
func variables(sub, tenant, client, run, location string) map[string]string {
	group := "azlin-conformance-" + run
	return map[string]string{
		"sub": sub, "tenant": tenant, "client": client, "run": run, "location": location, "group": group, "key": key,
		"G": "/subscriptions/" + sub + "/resourceGroups/" + group, "Gl": "/subscriptions/" + sub + "/resourcegroups/" + group,
		"began": time.Now().UTC().Format(time.RFC3339), "later": time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339),
		"N": "{G}/providers/Microsoft.Network", "C": "{G}/providers/Microsoft.Compute", "A": "{G}/providers/Microsoft.Storage/storageAccounts/files{run}",
	}
}

// onEmulator is a fresh emulator in virtual time, behind a transport of the caller's.
func onEmulator(t testing.TB, o emulator.Options, wrap func(http.RoundTripper) http.RoundTripper) conformance.Target {
	t.Helper()
	e, err := emulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	id, plain := e.Identity(), e.Client()
	vars := variables(id.SubscriptionID, id.TenantID, id.ClientID, "x1", "westus2")
	vars["identity"] = id.IdentityHeader
	return conformance.Target{
		Base: "https://management.azure.com", HTTP: &http.Client{Transport: wrap(plain.Transport)}, Strict: true,
		Vars: vars,
		Token: func(ctx context.Context) (string, error) {
			form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id.ClientID}, "client_secret": {id.ClientSecret}, "scope": {"https://management.azure.com/.default"}}
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://login.microsoftonline.com/"+id.TenantID+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
			if err != nil {
				return "", err
			}
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			resp, err := plain.Do(req)
			if err != nil {
				return "", err
			}
			defer func() { _ = resp.Body.Close() }()
			data, err := io.ReadAll(resp.Body)
			if err != nil {
				return "", err
			}
			var o struct {
				Token string `json:"access_token"`
			}
			return o.Token, json.Unmarshal(data, &o)
		},
	}
}

func TestEmulator(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		target := onEmulator(t, emulator.Options{Realistic: true}, func(rt http.RoundTripper) http.RoundTripper { return rt })
		target.All = true
		failures, err := conformance.Run(t.Context(), target, load(t))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range failures {
			t.Error(f)
		}
	})
}
