package network_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
)

// TestSSHSources: who is refused first is not among them, and neither is who comes from inside.
func TestSSHSources(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		i, nsg := l.launch(22)
		rule := func(name, access, port, source string, priority int) {
			t.Helper()
			body := map[string]any{"properties": map[string]any{
				"access": access, "direction": "Inbound", "protocol": "Tcp", "priority": priority, "sourcePortRange": "*", "destinationAddressPrefix": "*",
				"sourceAddressPrefix": source, "destinationPortRange": port,
			}}
			if _, err := l.c.DoOperation(t.Context(), http.MethodPut, nsg+"/securityRules/"+name, "2024-05-01", body, nil); err != nil {
				t.Fatal(err)
			}
		}
		holds := func(want ...string) {
			t.Helper()
			got, err := l.nets.SSHSources(t.Context(), i.NICs, 0)
			if err != nil || strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("got %v, %v, want %v", got, err, want)
			}
		}
		holds("203.0.113.10/32")
		rule("web", "Allow", "443", "*", 200)
		rule("office", "Allow", "20-25", "198.51.100.0/24", 500)
		rule("desk", "Allow", "22", "198.51.100.7", 501)
		rule("tag", "Allow", "22", "AzureCloud", 502)
		holds("198.51.100.0/24", "AzureCloud", "203.0.113.10/32")
		rule("out", "Deny", "*", "203.0.113.0/24", 300)
		holds("198.51.100.0/24", "AzureCloud")
		rule("all", "Allow", "22", "Internet", 400)
		holds("any")
		rule("nobody", "Deny", "22", "*", 100)
		holds()
		if got, err := l.nets.SSHSources(t.Context(), i.NICs, 443); err != nil || len(got) != 1 || got[0] != "any" {
			t.Errorf("another port: %v, %v", got, err)
		}
	})
}
