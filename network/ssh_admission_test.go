package network_test

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/azlin-dev/azlin/errkind"
)

// TestSSHAdmission puts rules before the operator's own and asks who gets in.
func TestSSHAdmission(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		s, c := l.nets, l.c
		i, nsg := l.launch(22)
		const version = "2024-05-01"
		mine := strings.Fields(rules(t, c, nsg)[0])[0]
		for _, test := range []struct {
			name     string
			access   string // of a rule at priority 500; empty: none
			protocol string
			ports    []string
			sources  []string
			source   string
			admitted bool
			rule     string
		}{
			{name: "the operator", source: "203.0.113.10", admitted: true, rule: mine},
			{name: "somebody else", source: "198.51.100.7", rule: "DenyAllInBound"},
			{name: "one of a range", access: "Allow", protocol: "*", ports: []string{"20-25"}, sources: []string{"198.51.100.0/24"}, source: "198.51.100.7", admitted: true, rule: "first"},
			{name: "outside of it", access: "Allow", protocol: "Tcp", ports: []string{"22"}, sources: []string{"198.51.100.0/25"}, source: "198.51.100.200", rule: "DenyAllInBound"},
			{name: "another port", access: "Allow", protocol: "Tcp", ports: []string{"80", "443"}, sources: []string{"*"}, source: "198.51.100.7", rule: "DenyAllInBound"},
			{name: "another protocol", access: "Allow", protocol: "Udp", ports: []string{"*"}, sources: []string{"*"}, source: "198.51.100.7", rule: "DenyAllInBound"},
			{name: "the Internet", access: "Allow", protocol: "Tcp", ports: []string{"22"}, sources: []string{"Internet"}, source: "198.51.100.7", admitted: true, rule: "first"},
			{name: "Azure's own", access: "Allow", protocol: "Tcp", ports: []string{"22"}, sources: []string{"AzureLoadBalancer"}, source: "198.51.100.7", rule: "DenyAllInBound"},
			{name: "refused before", access: "Deny", protocol: "*", ports: []string{"*"}, sources: []string{"203.0.113.0/24", "192.0.2.1"}, source: "203.0.113.10", rule: "first"},
			{name: "another refused", access: "Deny", protocol: "Tcp", ports: []string{"22"}, sources: []string{"192.0.2.1"}, source: "203.0.113.10", admitted: true, rule: mine},
		} {
			if test.access != "" {
				body := map[string]any{"properties": map[string]any{
					"access": test.access, "direction": "Inbound", "protocol": test.protocol, "priority": 500, "sourcePortRange": "*", "destinationAddressPrefix": "*",
					"sourceAddressPrefixes": test.sources, "destinationPortRanges": test.ports,
				}}
				if len(test.sources) == 1 {
					p := body["properties"].(map[string]any)
					delete(p, "sourceAddressPrefixes")
					p["sourceAddressPrefix"] = test.sources[0]
				}
				if _, err := c.DoOperation(t.Context(), http.MethodPut, nsg+"/securityRules/first", version, body, nil); err != nil {
					t.Fatalf("%s: %v", test.name, err)
				}
			}
			a, err := s.SSHAdmission(t.Context(), i.NICs, netip.MustParseAddr(test.source), 0)
			if err != nil || a.Admitted != test.admitted || !a.Admitted && (a.Rule != test.rule || !strings.EqualFold(a.NSG, nsg) || !a.Writable) {
				t.Errorf("%s: %+v, %v", test.name, a, err)
			}
		}
		if a, err := s.SSHAdmission(t.Context(), i.NICs, netip.MustParseAddr("203.0.113.10"), 8022); err != nil || a.Admitted {
			t.Errorf("another port: %+v, %v", a, err)
		}

		// What the subnet's group refuses is refused, and nobody but its owner changes that.
		subnets := strings.Replace(nsg, "dev-nsg", "subnets", 1)
		put := func(path string, body map[string]any) {
			if _, err := c.DoOperation(t.Context(), http.MethodPut, path, version, body, nil); err != nil {
				t.Fatal(err)
			}
		}
		put(subnets, map[string]any{"location": region})
		resp, err := c.Do(t.Context(), http.MethodGet, i.Subnet, version, nil)
		if err != nil {
			t.Fatal(err)
		}
		var prefix struct {
			Properties struct{ AddressPrefix string }
		}
		if err := json.Unmarshal(resp.Body, &prefix); err != nil {
			t.Fatal(err)
		}
		put(i.Subnet, map[string]any{"properties": map[string]any{
			"addressPrefix": prefix.Properties.AddressPrefix, "defaultOutboundAccess": false, "networkSecurityGroup": map[string]any{"id": subnets},
		}})
		a, err := s.SSHAdmission(t.Context(), i.NICs, netip.MustParseAddr("203.0.113.10"), 0)
		if err != nil || a.Admitted || !strings.EqualFold(a.NSG, subnets) || a.Writable {
			t.Errorf("the subnet's group: %+v, %v", a, err)
		}
		if _, err := c.DoOperation(t.Context(), http.MethodDelete, nsg, version, nil, nil); err == nil {
			t.Fatal("a group in use was deleted")
		}
		if a, err := s.SSHAdmission(t.Context(), nil, netip.MustParseAddr("192.0.2.1"), 0); err != nil || !a.Admitted {
			t.Errorf("no network interface: %+v, %v", a, err)
		}
		if _, err := s.SSHAdmission(t.Context(), []string{"nonsense"}, netip.MustParseAddr("192.0.2.1"), 0); errkind.Of(err) != errkind.Invalid {
			t.Errorf("nonsense: %v", err)
		}
	})
}
