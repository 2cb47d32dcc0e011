package signin_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/test/wire"
)

// TestTokenEndpointIsNotBelieved answers for the token endpoint what Entra never does. The client's secret goes nowhere
// else, and nothing secret stands in the error.
func TestTokenEndpointIsNotBelieved(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"redirect": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://evil.example/token")
			w.WriteHeader(http.StatusTemporaryRedirect)
		},
		"without an end": func(w http.ResponseWriter, _ *http.Request) {
			wire.Reply(w, http.StatusOK, `{"access_token":"top-secret-1","refresh_token":"top-secret-2","token_type":"Bearer"}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGround(t, emulator.Options{})
				o := g.base()
				o.ClientID, o.ClientSecret = g.e.Identity().ClientID, g.e.Identity().ClientSecret
				elsewhere := 0
				inner := g.e.Client().Transport
				o.HTTP = &http.Client{Transport: local.Tap{RoundTripper: roundTrip(func(r *http.Request) (*http.Response, error) {
					switch {
					case r.URL.Host == "evil.example":
						elsewhere++
						return wire.Handler(func(w http.ResponseWriter, _ *http.Request) { wire.Reply(w, 200, `{}`) }).RoundTrip(r)
					case strings.HasSuffix(r.URL.Path, "/token"):
						return wire.Handler(answer).RoundTrip(r)
					}
					return inner.RoundTrip(r)
				})}}
				a, err := signin.NewAuthenticator(o)
				if err != nil {
					t.Fatal(err)
				}
				cred, err := a.Credential()
				if err != nil {
					t.Fatal(err)
				}
				_, err = cred.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://management.azure.com/.default"}})
				if err == nil || elsewhere > 0 {
					t.Fatalf("%d requests went elsewhere, error %v", elsewhere, err)
				}
				if text := azure.Wrap("sign in", "", err).Error(); strings.Contains(text, "top-secret") {
					t.Errorf("the error shows a token: %s", text)
				}
			})
		})
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
