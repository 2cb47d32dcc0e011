package signin_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/test/wire"
)

// hosts notes which hosts are asked.
type hosts struct {
	next http.RoundTripper
	seen wire.Collected[string]
}

func (h *hosts) RoundTrip(r *http.Request) (*http.Response, error) {
	h.seen.Add(r.URL.Host)
	return h.next.RoundTrip(r)
}

// TestSovereignClouds signs in to each of Microsoft's clouds and works there. No other cloud's hosts are asked.
func TestSovereignClouds(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, entra, arm string }{
		{"public", "login.microsoftonline.com", "management.azure.com"},
		{"usgovernment", "login.microsoftonline.us", "management.usgovcloudapi.net"},
		{"china", "login.chinacloudapi.cn", "management.chinacloudapi.cn"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, emulator.Options{}, func(g *ground) {
				cloud, err := azure.ByName(tc.name)
				if err != nil {
					g.Fatal(err)
				}
				wire := &hosts{next: g.e.Client().Transport}
				hc := &http.Client{Transport: wire}
				o := g.base()
				o.Cloud, o.HTTP = cloud, hc
				o.ClientID, o.ClientSecret = emulator.ClientIDOf(principalName), hidden
				secret, err := signin.NewAuthenticator(o)
				if err != nil {
					g.Fatal(err)
				}
				o.ClientID, o.ClientSecret = "", ""
				device, _, err := signin.Login(g.Context(), signin.LoginOptions{Options: o, Kind: signin.DeviceCode, Prompt: func(signin.DevicePrompt) {}})
				if err != nil {
					g.Fatal(err)
				}
				for _, a := range []*signin.Authenticator{secret, device} {
					cred, err := a.Credential()
					if err != nil {
						g.Fatal(err)
					}
					c, err := azure.Open(azure.Options{Target: azure.Target{Cloud: cloud, SubscriptionID: o.SubscriptionID}, Credential: cred, HTTP: hc})
					if err != nil {
						g.Fatal(err)
					}
					if _, err := c.Do(g.Context(), http.MethodGet, "/subscriptions", groupsVersion, nil); err != nil {
						g.Errorf("%s: %v", a.Method(), err)
					}
				}
				seen := wire.seen.List()
				slices.Sort(seen)
				if seen = slices.Compact(seen); !slices.Equal(seen, []string{tc.entra, tc.arm}) {
					g.Errorf("hosts %v, want %s and %s", seen, tc.entra, tc.arm)
				}
				// What is remembered for one cloud is not used in another.
				other := azure.China()
				if tc.name == "china" {
					other = azure.Public()
				}
				if a, err := signin.NewAuthenticator(signin.Options{Cloud: other, CacheDir: g.dir}); err != nil || a.Kind() != "" {
					g.Errorf("signed in to %s by %q: %v", other.Name, a.Kind(), err)
				} else if _, err := a.Authenticate(g.Context()); !errors.Is(err, azure.ErrAuthentication) {
					g.Error(err)
				}
			})
		})
	}
}
