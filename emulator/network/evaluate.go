package network

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm"
)

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
		x, _ := arm.Int(a, "properties", "priority")
		y, _ := arm.Int(b, "properties", "priority")
		return cmp.Compare(x, y)
	})
	for _, r := range rules {
		props := arm.Map(r, "properties")
		if !arm.Fold(arm.Str(props, "direction"), "Inbound") || !fits(props, p) {
			continue
		}
		return arm.Fold(arm.Str(props, "access"), "Allow"), arm.Str(r, "name")
	}
	return false, ""
}

func fits(rule arm.Object, p Packet) bool {
	if proto := arm.Str(rule, "protocol"); proto != "*" && !arm.Fold(proto, p.Protocol) {
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
			inGroups(arm.List(rule, "destinationApplicationSecurityGroups"), p.Groups))
}

// both are the values of a rule's singular and plural property.
func both(rule arm.Object, one, many string) []string {
	var l []string
	if s := arm.Str(rule, one); s != "" {
		l = append(l, s)
	}
	for _, e := range arm.List(rule, many) {
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
			if a.String() == developerSource {
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
			if arm.Key(arm.Str(g, "id")) == arm.Key(m) {
				return true
			}
		}
	}
	return false
}

// Admitted reports whether a source reaches a TCP port of an interface from outside of its network:
// both the subnet's and the interface's security groups have to allow it. A Standard public address
// without any security group is closed; a Basic one is open.
func (p *Provider) Admitted(nicID string, source netip.Addr, port int) bool {
	nic := p.s.FindType(NICType, nicID)
	if nic == nil {
		return false
	}
	for _, e := range arm.List(nic.Body, "properties", "ipConfigurations") {
		pip := p.s.FindType(PublicIPType, arm.Str(e, "properties", "publicIPAddress", "id"))
		if pip != nil && p.admits(nic, e, pip, source, port) {
			return true
		}
	}
	return false
}

func (p *Provider) admits(nic *arm.Resource, config any, pip *arm.Resource, source netip.Addr, port int) bool {
	judged, ok := p.judge(nic, config, source, port)
	return ok && (judged || arm.Fold(arm.Str(pip.Body, "sku", "name"), "Basic"))
}

// judge has the security groups of a configuration's subnet and interface decide on a TCP connection. judged says
// whether there were any.
func (p *Provider) judge(nic *arm.Resource, config any, source netip.Addr, port int) (judged, ok bool) {
	subnet, vnet := p.subnet(arm.Str(config, "properties", "subnet", "id"))
	if subnet == nil {
		return false, false
	}
	network, err := spaces(vnet)
	if err != nil {
		return false, false
	}
	for _, e := range arm.List(vnet.Body, "properties", "virtualNetworkPeerings") {
		remote := p.s.FindType(VNetType, arm.Str(e, "properties", "remoteVirtualNetwork", "id"))
		if remote == nil || !p.peered(vnet, remote.ID) {
			continue
		}
		if more, err := spaces(remote); err == nil {
			network = append(network, more...)
		}
	}
	private, err := netip.ParseAddr(arm.Str(config, "properties", "privateIPAddress"))
	if err != nil {
		return false, false
	}
	pk := Packet{Source: source, Destination: private, Port: port, Protocol: "Tcp", Network: network}
	for _, g := range arm.List(config, "properties", "applicationSecurityGroups") {
		pk.Groups = append(pk.Groups, arm.Str(g, "id"))
	}
	for _, id := range []string{arm.Str(subnet, "properties", "networkSecurityGroup", "id"), arm.Str(nic.Body, "properties", "networkSecurityGroup", "id")} {
		nsg := p.s.FindType(NSGType, id)
		if nsg == nil {
			continue
		}
		judged = true
		if ok, _ := Decide(append(slices.Clone(arm.List(nsg.Body, "properties", "securityRules")), arm.List(nsg.Body, "properties", "defaultSecurityRules")...), pk); !ok {
			return judged, false
		}
	}
	return judged, true
}
