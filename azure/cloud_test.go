package azure_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/test/wire"
)

func TestClouds(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, endpoint, authority string }{
		{"", "https://management.azure.com", "https://login.microsoftonline.com"},
		{"AzureUSGovernment", "https://management.usgovcloudapi.net", "https://login.microsoftonline.us"},
		{"china", "https://management.chinacloudapi.cn", "https://login.chinacloudapi.cn"},
	} {
		c, err := azure.ByName(tc.name)
		if err != nil || c.Endpoint != tc.endpoint || c.Authority != tc.authority || c.Custom {
			t.Errorf("%q: %+v, %v", tc.name, c, err)
		}
	}
	if _, err := azure.ByName("moon"); errkind.Of(err) != errkind.Invalid {
		t.Errorf("got %v", err)
	}
	if _, err := azure.Custom("x", "http://127.0.0.1", "https://127.0.0.1", "", ""); errkind.Of(err) != errkind.Invalid {
		t.Errorf("plain http was taken: %v", err)
	}
}

// TestCustomCA goes over a real TLS connection on the loopback.
func TestCustomCA(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
			t.Error("no token was sent")
		}
		wire.Reply(w, 200, `{}`)
	}))
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	get := func(caFile string) error {
		cloud, err := azure.Custom("emulator", server.URL, server.URL, "", caFile)
		if err != nil {
			t.Fatal(err)
		}
		c, err := azure.Open(azure.Options{Target: azure.Target{Cloud: cloud, SubscriptionID: wire.Subscription}, Credential: token{}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := contextWithTimeout(t, 5*time.Second)
		defer cancel()
		_, err = c.Do(ctx, http.MethodGet, "/subscriptions/s", "1", nil)
		return err
	}
	if err := get(ca); err != nil {
		t.Error(err)
	}
	began := time.Now()
	if err := get(""); errkind.Of(err) != errkind.Unreachable || time.Since(began) > 2*time.Second {
		t.Errorf("without the CA: %v after %s", err, time.Since(began))
	}
	// Whoever else is on this machine is trusted as the system and that CA say.
	elsewhere, err := azure.Custom("emulator", "https://127.0.0.1:1", "https://127.0.0.1:1", "", ca)
	if err != nil {
		t.Fatal(err)
	}
	client, err := elsewhere.HTTPClient()
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer x")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	cloud, _ := azure.Custom("emulator", server.URL, server.URL, "", filepath.Join(t.TempDir(), "absent"))
	if _, err := cloud.HTTPClient(); errkind.Of(err) != errkind.Prerequisite {
		t.Errorf("absent CA file: %v", err)
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		custom bool
		ahead  time.Duration
		want   time.Duration
	}{
		{"a custom cloud's time counts", true, 48 * time.Hour, 48 * time.Hour},
		{"less than a few seconds is no difference", true, time.Second, 0},
		{"Microsoft's clouds live in our time", false, 48 * time.Hour, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := open(t, func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Date", time.Now().Add(tc.ahead).UTC().Format(http.TimeFormat))
					wire.Reply(w, 200, `{}`)
				}, func(o *azure.Options) {
					if tc.custom {
						o.Target.Cloud = wire.LocalCloud(t)
					}
				})
				if d := time.Until(c.Clock().Now()); d.Abs() > time.Second {
					t.Errorf("before any answer the clock is %s off", d)
				}
				if _, err := c.Do(t.Context(), http.MethodGet, "/subscriptions/s", "1", nil); err != nil {
					t.Fatal(err)
				}
				if d := time.Until(c.Clock().Now()) - tc.want; d.Abs() > time.Second {
					t.Errorf("off by %s", d)
				}
			})
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	if _, err := azure.Open(azure.Options{Credential: token{}}); errkind.Of(err) != errkind.Invalid {
		t.Errorf("without a subscription: %v", err)
	}
	if _, err := azure.Open(azure.Options{Target: azure.Target{SubscriptionID: "s"}}); errkind.Of(err) != errkind.Auth {
		t.Errorf("without a credential: %v", err)
	}
}

func TestPageStaysOnHost(t *testing.T) {
	t.Parallel()
	next := ""
	c := open(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "management.azure.com" {
			t.Errorf("a request went to %s", r.Host)
		}
		if r.URL.Query().Get("page") != "" {
			wire.Reply(w, 200, `{"value":[2]}`)
			return
		}
		wire.Reply(w, 200, `{"value":[1],"nextLink":"`+next+`"}`)
	})
	n := 0
	read := func() error {
		return c.Page(t.Context(), "/subscriptions/s/resources", "1", func([]byte) error { n++; return nil })
	}
	next = "https://management.azure.com/subscriptions/s/resources?api-version=1&page=2"
	if err := read(); err != nil || n != 2 {
		t.Errorf("%d pages, %v", n, err)
	}
	next = "https://evil.example/steal"
	if err := read(); errkind.Of(err) != errkind.Invalid {
		t.Errorf("followed a link away: %v", err)
	}
}
