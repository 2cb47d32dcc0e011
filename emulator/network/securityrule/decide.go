// Package securityrule is what the rules of network security groups say: how a rule must look, the six that every group
// ends with, and what a list of them decides about a connection.
package securityrule

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
)

// PlatformAddress is the address of Azure's platform inside every network.
const PlatformAddress = "168.63.129.16"

// Packet is what security rules are asked about.
type Packet struct {
	Source      netip.Addr
	Destination netip.Addr
	Port        int    // destination port
	Protocol    string // Tcp, Udp, Icmp
	// Network are the ranges that the service tag VirtualNetwork stands for.
	Network []netip.Prefix
	// Groups are the ids of the application security groups of the destination.
	Groups []string
}

// Decide gives the verdict of a security group's rules on inbound traffic, and the name of the rule
// that gave it. Rules are looked at in the order of their priorities; the first that fits decides.
func Decide(rules []any, p Packet) (allow bool, by string) {
	rules = slices.Clone(rules)
	slices.SortStableFunc(rules, func(a, b any) int {
		x, _ := azjson.Int(a, "properties", "priority")
		y, _ := azjson.Int(b, "properties", "priority")
		return cmp.Compare(x, y)
	})
	for _, r := range rules {
		props := azjson.Map(r, "properties")
		if !azjson.Fold(azjson.Str(props, "direction"), "Inbound") || !fits(props, p) {
			continue
		}
		return azjson.Fold(azjson.Str(props, "access"), "Allow"), azjson.Str(r, "name")
	}
	return false, ""
}

func fits(rule azjson.Object, p Packet) bool {
	if proto := azjson.Str(rule, "protocol"); proto != "*" && !azjson.Fold(proto, p.Protocol) {
		return false
	}
	inPorts := false
	for _, s := range both(rule, "destinationPortRange", "destinationPortRanges") {
		low, high, ok := portRange(s)
		inPorts = inPorts || ok && low <= p.Port && p.Port <= high
	}
	// The source port of a connection is whatever its sender picked, so a rule that names source
	// ports cannot be counted on to fit.
	anySource := false
	for _, s := range both(rule, "sourcePortRange", "sourcePortRanges") {
		low, high, ok := portRange(s)
		anySource = anySource || ok && low <= 1024 && high == 65535
	}
	if !inPorts || !anySource {
		return false
	}
	return covers(both(rule, "sourceAddressPrefix", "sourceAddressPrefixes"), p.Source, p.Network) &&
		(covers(both(rule, "destinationAddressPrefix", "destinationAddressPrefixes"), p.Destination, p.Network) ||
			inGroups(azjson.List(rule, "destinationApplicationSecurityGroups"), p.Groups))
}

// both are the values of a rule's singular and plural property.
func both(rule azjson.Object, one, many string) []string {
	var l []string
	if s := azjson.Str(rule, one); s != "" {
		l = append(l, s)
	}
	for _, e := range azjson.List(rule, many) {
		if s, ok := e.(string); ok {
			l = append(l, s)
		}
	}
	return l
}

// covers reports whether one of the prefixes or service tags holds an address.
func covers(list []string, a netip.Addr, network []netip.Prefix) bool {
	for _, s := range list {
		inside := within(network, a)
		switch strings.ToLower(s) {
		case "*", "any":
			return true
		case "internet":
			if !inside {
				return true
			}
		case "virtualnetwork":
			if inside {
				return true
			}
		case "azureloadbalancer":
			if a.String() == PlatformAddress {
				return true
			}
		default:
			// Other service tags stand for Azure's own addresses, where no operator sits.
			if pf, err := netip.ParsePrefix(s); err == nil && pf.Contains(a) {
				return true
			}
			if one, err := netip.ParseAddr(s); err == nil && one == a {
				return true
			}
		}
	}
	return false
}

func within(l []netip.Prefix, a netip.Addr) bool {
	for _, pf := range l {
		if pf.Contains(a) {
			return true
		}
	}
	return false
}

func inGroups(groups []any, mine []string) bool {
	for _, g := range groups {
		for _, m := range mine {
			if resourceid.Key(azjson.Str(g, "id")) == resourceid.Key(m) {
				return true
			}
		}
	}
	return false
}

// AdmitsBastionClients reports whether rules let the Internet and Azure's own management through to port 443.
func AdmitsBastionClients(rules []any) bool {
	found := map[string]bool{}
	for _, e := range rules {
		props := azjson.Map(e, "properties")
		if !azjson.Fold(azjson.Str(props, "direction"), "Inbound") || !azjson.Fold(azjson.Str(props, "access"), "Allow") {
			continue
		}
		for _, s := range both(props, "destinationPortRange", "destinationPortRanges") {
			if low, high, ok := portRange(s); !ok || low > 443 || high < 443 {
				continue
			}
			for _, from := range both(props, "sourceAddressPrefix", "sourceAddressPrefixes") {
				switch strings.ToLower(from) {
				case "*", "any":
					found["internet"], found["gatewaymanager"] = true, true
				default:
					found[strings.ToLower(from)] = true
				}
			}
		}
	}
	return found["internet"] && found["gatewaymanager"]
}
