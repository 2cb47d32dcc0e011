package network_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/network"
)

func TestParseSource(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"198.51.100.7":    "198.51.100.7/32",
		"198.51.100.7/24": "198.51.100.0/24",
		"2001:db8::1":     "2001:db8::1/128",
		"any":             "0.0.0.0/0",
	} {
		if got, err := network.ParseSource(in); err != nil || got.String() != want {
			t.Errorf("%s: got %s, %v; want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"", "0.0.0.0/0", "::/0", "*", "Internet", "198.51.100.7/33", "fe80::1%eth0", "me"} {
		if got, err := network.ParseSource(in); errkind.Of(err) != errkind.Invalid {
			t.Errorf("%q was read as %s, %v", in, got, err)
		}
	}
}

func TestOperatorAddress(t *testing.T) {
	t.Parallel()
	answers := map[string]string{"/a": "203.0.113.10\n", "/b": "203.0.113.10", "/other": "203.0.113.11", "/private": "10.0.0.4", "/junk": "<html>", "/six": "2001:db8::1"}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := answers[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	ask := func(paths ...string) (string, error) {
		var services []string
		for _, p := range paths {
			services = append(services, server.URL+p)
		}
		got, err := network.OperatorAddress(t.Context(), server.Client(), services)
		return got.String(), err
	}
	if got, err := ask("/a", "/b"); err != nil || got != "203.0.113.10/32" {
		t.Errorf("got %s, %v", got, err)
	}
	for name, paths := range map[string][]string{
		"they disagree": {"/a", "/other"}, "a private address": {"/private"}, "not an address": {"/a", "/junk"},
		"an error": {"/a", "/absent"}, "nobody": {}, "another family": {"/six"},
	} {
		got, err := ask(paths...)
		if errkind.Of(err) != errkind.Prerequisite || !strings.Contains(err.Error(), "specify the addresses that SSH is admitted from") {
			t.Errorf("%s: got %s, %v", name, got, err)
		}
	}
	if _, err := network.OperatorAddress(t.Context(), server.Client(), []string{"http://127.0.0.1/"}); err == nil {
		t.Error("a service without TLS was asked")
	}
}
