package azure_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// listing reads all VMs as every list does.
func listing(t *testing.T, c *azure.Client) (int, error) {
	t.Helper()
	vms, err := azure.Pages(t.Context(), "list VMs", c.VMs().NewListAllPager(nil),
		func(p armcompute.VirtualMachinesClientListAllResponse) []*armcompute.VirtualMachine { return p.Value })
	return len(vms), err
}

// TestTokenStaysAtHome puts other addresses into the links that the SDK follows by itself.
func TestTokenStaysAtHome(t *testing.T) {
	const home = "https://management.azure.com"
	for _, link := range []string{"https://evil.example/next", "https://management.azure.com:8443/next", "https://management.azure.com.evil.example/next"} {
		for _, header := range []string{"nextLink", "Azure-AsyncOperation", "Location", "Operation-Location"} {
			t.Run(header+" "+link, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					away := 0
					c := open(t, func(w http.ResponseWriter, r *http.Request) {
						if "https://"+r.Host != home {
							away++
							_, _ = io.WriteString(w, `{"status":"Succeeded","value":[]}`)
							return
						}
						w.Header().Set("Content-Type", "application/json")
						if header == "nextLink" {
							_, _ = fmt.Fprintf(w, `{"value":[],"nextLink":%q}`, link)
							return
						}
						w.Header().Set(header, link)
						w.WriteHeader(http.StatusAccepted)
					})
					var err error
					if header == "nextLink" {
						_, err = listing(t, c)
					} else {
						p, berr := c.VMs().BeginDeallocate(t.Context(), "g", "dev", nil)
						if err = berr; err == nil {
							_, err = p.PollUntilDone(t.Context(), nil)
						}
					}
					if away > 0 || err == nil {
						t.Errorf("%d requests went elsewhere, error %v", away, err)
					}
				})
			})
		}
	}
}

// TestAnswersThatAreNotBelieved wants an error, and no empty list, for what Azure never sends.
func TestAnswersThatAreNotBelieved(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"nothing":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) },
		"null":         func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "null") },
		"no list":      func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"value":null}`) },
		"other object": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"login":"please"}`) },
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			if r.Host != "management.azure.com" {
				_, _ = io.WriteString(w, `{"value":[]}`)
				return
			}
			w.Header().Set("Location", "https://portal.example/")
			w.WriteHeader(http.StatusFound)
		},
		"circle": func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprintf(w, `{"value":[],"nextLink":%q}`, "https://"+r.Host+r.URL.String())
		},
		"endless": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"value":[`)
			for range 200 {
				if _, err := w.Write(bytes.Repeat([]byte(" "), 1<<20)); err != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := open(t, answer)
				n, err := listing(t, c)
				if err == nil {
					t.Errorf("%d VMs and no error", n)
				} else if errkind.Of(err) != errkind.Unreachable {
					t.Errorf("kind %q of %v", errkind.Of(err), err)
				}
			})
		})
	}
}
