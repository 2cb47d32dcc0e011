package azure_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/test/wire"
)

func TestFetchSigned(t *testing.T) {
	t.Parallel()
	c := open(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("the token went to a storage address")
		}
		if r.URL.Query().Get("sig") != "GOOD" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		wire.Reply(w, 200, "boot log")
	})
	if data, err := c.FetchSigned(t.Context(), "https://blob.example/log?sig=GOOD", 4); err != nil || string(data) != "boot" {
		t.Errorf("%q, %v", data, err)
	}
	for address, want := range map[string]errkind.Kind{
		"https://blob.example/log?sig=SECRET": errkind.Permission,
		"http://blob.example/log?sig=SECRET":  errkind.Invalid,
		"https://blob.example/%zz?sig=SECRET": errkind.Invalid,
	} {
		_, err := c.FetchSigned(t.Context(), address, 100)
		if errkind.Of(err) != want || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: kind %q: %v", address, errkind.Of(err), err)
		}
	}
	if c.Requests() != 0 {
		t.Error("counted as a request to Azure Resource Manager")
	}
}
