package provision_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/local/audit"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/test/local/lab"
	"github.com/azlin-dev/azlin/test/wire"
	"github.com/azlin-dev/azlin/vm"
)

// TestSecretsStayIn creates and deletes a VM with everything logged and recorded.
func TestSecretsStayIn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{Exhausted: []string{"Standard_D4s_v5"}})
		var log bytes.Buffer
		var rec wire.Collected[audit.Record]
		s, _ := l.Open(func(o *azure.Options) {
			o.Audit = rec.Record
			o.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		})
		cfg := config("dev")
		cfg.CustomData = []byte("#cloud-config\nssh_keys: {ed25519_private: TOPSECRET}\n")
		if _, err := s.Provision(t.Context(), cfg, nil); err != nil {
			t.Fatal(err)
		}
		failing := cfg
		failing.Name, failing.Size = "dev2", "Standard_D4s_v5"
		_, failure := s.Provision(t.Context(), failing, nil)
		if failure == nil {
			t.Fatal("there was room")
		}
		if _, err := s.Delete(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"}, vm.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		records, err := json.Marshal(rec.List())
		if err != nil {
			t.Fatal(err)
		}
		for where, text := range map[string]string{"log": log.String(), "audit": string(records), "error": failure.Error()} {
			for _, secret := range []string{
				"TOPSECRET", base64.StdEncoding.EncodeToString(cfg.CustomData)[:24], "Bearer", l.Emulator.Identity().ClientSecret, "&s=", "eyJ",
			} {
				if strings.Contains(text, secret) {
					t.Errorf("%s is in the %s", secret, where)
				}
			}
		}
		if len(rec.List()) < 20 || log.Len() < 1000 {
			t.Errorf("%d records, %d bytes of log", len(rec.List()), log.Len())
		}
	})
}

// TestAPIVersions pins what this package makes the clients send, beside what azure's own test pins.
func TestAPIVersions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		kind := regexp.MustCompile(`(?i)/providers/(microsoft\.[^/]+/[^/]+)[^?]*$`)
		var mu sync.Mutex
		got := map[string]string{}
		s, c := l.Open(func(o *azure.Options) {
			o.HTTP = &http.Client{Transport: local.Tap{RoundTripper: o.HTTP.Transport, See: func(r *http.Request) error {
				mu.Lock()
				defer mu.Unlock()
				name := "group"
				if m := kind.FindStringSubmatch(r.URL.Path); m != nil {
					name = m[1]
				}
				if i := strings.Index(r.URL.Path, "Microsoft.Authorization/locks"); i >= 0 {
					name = "Microsoft.Authorization/locks"
				}
				if strings.Contains(r.URL.Path, "/locations/") {
					return nil // the server's own addresses of operations
				}
				got[name] = r.URL.Query().Get("api-version")
				return nil
			}}}
		})
		d, err := s.Provision(t.Context(), config("dev"), nil)
		if err != nil {
			t.Fatal(err)
		}
		lock := d.ID + "/providers/Microsoft.Authorization/locks/keep"
		if _, err := c.Do(t.Context(), http.MethodPut, lock, "2016-09-01", map[string]any{"properties": map[string]string{"level": "CanNotDelete"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Delete(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"}, vm.DeleteOptions{}); err == nil || !strings.Contains(err.Error(), "locked by keep") {
			t.Fatal(err)
		}
		want := map[string]string{
			"group":                                   "2021-04-01",
			"Microsoft.Authorization/locks":           "2016-09-01",
			"Microsoft.Compute/skus":                  "2021-07-01",
			"Microsoft.Compute/disks":                 "2026-03-02",
			"Microsoft.Compute/virtualMachines":       "2026-04-01",
			"Microsoft.Network/natGateways":           "2025-05-01",
			"Microsoft.Network/networkInterfaces":     "2025-05-01",
			"Microsoft.Network/networkSecurityGroups": "2025-05-01",
			"Microsoft.Network/publicIPAddresses":     "2025-05-01",
			"Microsoft.Network/virtualNetworks":       "2025-05-01",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the versions changed (-pinned +sent):\n%s", diff)
		}
	})
}
