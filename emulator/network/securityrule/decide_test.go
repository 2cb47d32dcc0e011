package securityrule_test

import (
	"net/netip"
	"testing"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/network/securityrule"
)

// rule is an inbound TCP rule for port 22 from anywhere; edits replace its properties.
func rule(name string, priority int, access string, edits ...any) any {
	p := azjson.Object{
		"priority": priority, "direction": "Inbound", "access": access, "protocol": "Tcp", "sourceAddressPrefix": "*", "sourcePortRange": "*",
		"destinationAddressPrefix": "*", "destinationPortRange": "22",
	}
	for i := 0; i+1 < len(edits); i += 2 {
		p[edits[i].(string)] = edits[i+1]
	}
	return azjson.Object{"name": name, "properties": p}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	all := func(a ...any) []any { return append([]any{}, a...) }
	defaults := all(rule("vnet", 65000, "Allow", "protocol", "*", "sourceAddressPrefix", "VirtualNetwork", "destinationAddressPrefix", "VirtualNetwork", "destinationPortRange", "*"),
		rule("lb", 65001, "Allow", "protocol", "*", "sourceAddressPrefix", "AzureLoadBalancer", "destinationPortRange", "*"),
		rule("deny", 65500, "Deny", "protocol", "*", "destinationPortRange", "*"))
	for name, c := range map[string]struct {
		rules  []any
		source string
		allow  bool
		by     string
	}{
		"defaults deny the Internet":      {nil, "203.0.113.10", false, "deny"},
		"defaults allow the network":      {nil, "10.0.0.9", true, "vnet"},
		"any":                             {all(rule("a", 100, "Allow")), "203.0.113.10", true, "a"},
		"own address":                     {all(rule("a", 100, "Allow", "sourceAddressPrefix", "203.0.113.10")), "203.0.113.10", true, "a"},
		"own prefix":                      {all(rule("a", 100, "Allow", "sourceAddressPrefix", "203.0.113.0/24")), "203.0.113.10", true, "a"},
		"another prefix":                  {all(rule("a", 100, "Allow", "sourceAddressPrefix", "198.51.100.0/24")), "203.0.113.10", false, "deny"},
		"list of prefixes":                {all(rule("a", 100, "Allow", "sourceAddressPrefix", "", "sourceAddressPrefixes", all("198.51.100.0/24", "203.0.113.10/32"))), "203.0.113.10", true, "a"},
		"Internet":                        {all(rule("a", 100, "Allow", "sourceAddressPrefix", "Internet")), "203.0.113.10", true, "a"},
		"Internet is not the network":     {all(rule("a", 100, "Allow", "sourceAddressPrefix", "Internet")), "10.0.0.9", true, "vnet"},
		"VirtualNetwork":                  {all(rule("a", 100, "Deny", "sourceAddressPrefix", "virtualnetwork")), "10.0.0.9", false, "a"},
		"load balancer":                   {all(rule("a", 100, "Allow", "sourceAddressPrefix", "AzureLoadBalancer")), "203.0.113.10", false, "deny"},
		"another service tag":             {all(rule("a", 100, "Allow", "sourceAddressPrefix", "AzureCloud.westus2")), "203.0.113.10", false, "deny"},
		"lower priority number wins":      {all(rule("b", 200, "Deny"), rule("a", 100, "Allow")), "203.0.113.10", true, "a"},
		"a denial first":                  {all(rule("b", 100, "Deny"), rule("a", 200, "Allow")), "203.0.113.10", false, "b"},
		"port range":                      {all(rule("a", 100, "Allow", "destinationPortRange", "20-25")), "203.0.113.10", true, "a"},
		"port list":                       {all(rule("a", 100, "Allow", "destinationPortRange", "", "destinationPortRanges", all("80", "22"))), "203.0.113.10", true, "a"},
		"all ports":                       {all(rule("a", 100, "Allow", "destinationPortRange", "*")), "203.0.113.10", true, "a"},
		"another port":                    {all(rule("a", 100, "Allow", "destinationPortRange", "2222")), "203.0.113.10", false, "deny"},
		"another protocol":                {all(rule("a", 100, "Allow", "protocol", "Udp")), "203.0.113.10", false, "deny"},
		"any protocol":                    {all(rule("a", 100, "Allow", "protocol", "*")), "203.0.113.10", true, "a"},
		"outbound does not count":         {all(rule("a", 100, "Allow", "direction", "Outbound")), "203.0.113.10", false, "deny"},
		"to the private address":          {all(rule("a", 100, "Allow", "destinationAddressPrefix", "10.0.0.4")), "203.0.113.10", true, "a"},
		"to another address":              {all(rule("a", 100, "Allow", "destinationAddressPrefix", "10.0.0.5")), "203.0.113.10", false, "deny"},
		"to the network":                  {all(rule("a", 100, "Allow", "destinationAddressPrefix", "VirtualNetwork")), "203.0.113.10", true, "a"},
		"from some source port only":      {all(rule("a", 100, "Allow", "sourcePortRange", "4000")), "203.0.113.10", false, "deny"},
		"to an application group":         {all(rule("a", 100, "Allow", "destinationAddressPrefix", "", "destinationApplicationSecurityGroups", all(azjson.Object{"id": "/ASG/Mine"}))), "203.0.113.10", true, "a"},
		"to another application group":    {all(rule("a", 100, "Allow", "destinationAddressPrefix", "", "destinationApplicationSecurityGroups", all(azjson.Object{"id": "/asg/other"}))), "203.0.113.10", false, "deny"},
		"from an application group":       {all(rule("a", 100, "Allow", "sourceAddressPrefix", "", "sourceApplicationSecurityGroups", all(azjson.Object{"id": "/asg/mine"}))), "203.0.113.10", false, "deny"},
		"an address of the other version": {all(rule("a", 100, "Allow", "sourceAddressPrefix", "::/0")), "203.0.113.10", false, "deny"},
	} {
		allow, by := securityrule.Decide(append(c.rules, defaults...), securityrule.Packet{
			Source: netip.MustParseAddr(c.source), Destination: netip.MustParseAddr("10.0.0.4"), Port: 22, Protocol: "Tcp",
			Network: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")}, Groups: []string{"/asg/mine"},
		})
		if allow != c.allow || by != c.by {
			t.Errorf("%s: %v by %s, want %v by %s", name, allow, by, c.allow, c.by)
		}
	}
}

// FuzzDecide: whatever the rules say, an unmatched packet is denied and nothing breaks.
func FuzzDecide(f *testing.F) {
	f.Add("*", "22", "Tcp", 100)
	f.Add("10.0.0.0/8", "1-", "*", -1)
	f.Add("Internet", "-", "", 5000)
	f.Fuzz(func(t *testing.T, prefix, ports, protocol string, priority int) {
		r := rule("a", priority, "Allow", "sourceAddressPrefix", prefix, "destinationPortRange", ports, "protocol", protocol)
		allow, by := securityrule.Decide([]any{r}, securityrule.Packet{Source: netip.MustParseAddr("203.0.113.10"), Destination: netip.MustParseAddr("10.0.0.4"), Port: 22, Protocol: "Tcp"})
		if allow != (by == "a") {
			t.Errorf("allowed by %q", by)
		}
	})
}
