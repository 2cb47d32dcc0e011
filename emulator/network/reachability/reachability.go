// Package reachability says who reaches a virtual machine's network interface: from outside, through its public address;
// and from inside, as a Bastion does. Callers hold the server's lock.
package reachability

import (
	"net/netip"
	"slices"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
	"github.com/azlin-dev/azlin/emulator/network"
	"github.com/azlin-dev/azlin/emulator/network/ipam"
	"github.com/azlin-dev/azlin/emulator/network/securityrule"
)

// Admitted reports whether a source reaches a TCP port of an interface from outside of its network:
// both the subnet's and the interface's security groups have to allow it. A Standard public address
// without any security group is closed; a Basic one is open.
func Admitted(s *arm.Server, nicID string, source netip.Addr, port int) bool {
	nic := s.FindType(network.NICType, nicID)
	if nic == nil {
		return false
	}
	for _, e := range azjson.List(nic.Body, "properties", "ipConfigurations") {
		pip := s.FindType(network.PublicIPType, azjson.Str(e, "properties", "publicIPAddress", "id"))
		if pip != nil && admits(s, nic, e, pip, source, port) {
			return true
		}
	}
	return false
}

func admits(s *arm.Server, nic *arm.Resource, config any, pip *arm.Resource, source netip.Addr, port int) bool {
	judged, ok := judge(s, nic, config, source, port)
	return ok && (judged || azjson.Fold(azjson.Str(pip.Body, "sku", "name"), "Basic"))
}

// judge has the security groups of a configuration's subnet and interface decide on a TCP connection. judged says
// whether there were any.
func judge(s *arm.Server, nic *arm.Resource, config any, source netip.Addr, port int) (judged, ok bool) {
	subnet, vnet := network.SubnetOf(s, azjson.Str(config, "properties", "subnet", "id"))
	if subnet == nil {
		return false, false
	}
	inside, err := ipam.Spaces(vnet)
	if err != nil {
		return false, false
	}
	for _, e := range azjson.List(vnet.Body, "properties", "virtualNetworkPeerings") {
		remote := s.FindType(network.VNetType, azjson.Str(e, "properties", "remoteVirtualNetwork", "id"))
		if remote == nil || !network.Peered(s, vnet, remote.ID) {
			continue
		}
		if more, err := ipam.Spaces(remote); err == nil {
			inside = append(inside, more...)
		}
	}
	private, err := netip.ParseAddr(azjson.Str(config, "properties", "privateIPAddress"))
	if err != nil {
		return false, false
	}
	pk := securityrule.Packet{Source: source, Destination: private, Port: port, Protocol: "Tcp", Network: inside}
	for _, g := range azjson.List(config, "properties", "applicationSecurityGroups") {
		pk.Groups = append(pk.Groups, azjson.Str(g, "id"))
	}
	for _, id := range []string{azjson.Str(subnet, "properties", "networkSecurityGroup", "id"), azjson.Str(nic.Body, "properties", "networkSecurityGroup", "id")} {
		nsg := s.FindType(network.NSGType, id)
		if nsg == nil {
			continue
		}
		judged = true
		if ok, _ := securityrule.Decide(append(slices.Clone(azjson.List(nsg.Body, "properties", "securityRules")), azjson.List(nsg.Body, "properties", "defaultSecurityRules")...), pk); !ok {
			return judged, false
		}
	}
	return judged, true
}

// Reaches reports whether an interface is in the Bastion's network or, for all SKUs but Developer, in one that
// is peered with it.
func Reaches(s *arm.Server, b network.Bastion, nicID string) bool {
	nic := s.FindType(network.NICType, nicID)
	if nic == nil {
		return false
	}
	for _, e := range azjson.List(nic.Body, "properties", "ipConfigurations") {
		_, vnet := network.SubnetOf(s, azjson.Str(e, "properties", "subnet", "id"))
		if vnet != nil && (resourceid.Key(vnet.ID) == resourceid.Key(b.VNet) || b.SKU != network.DeveloperSKU && network.Peered(s, vnet, b.VNet)) {
			return true
		}
	}
	return false
}

// AdmittedInside gives the private address of an interface at which a source within the network, such as a Bastion,
// reaches a TCP port: security groups of the subnet and of the interface have to allow it, where there are any.
func AdmittedInside(s *arm.Server, nicID string, source netip.Addr, port int) (at netip.Addr, ok bool) {
	nic := s.FindType(network.NICType, nicID)
	if nic == nil {
		return netip.Addr{}, false
	}
	for _, e := range azjson.List(nic.Body, "properties", "ipConfigurations") {
		if _, ok := judge(s, nic, e, source, port); ok {
			at, err := netip.ParseAddr(azjson.Str(e, "properties", "privateIPAddress"))
			return at, err == nil
		}
	}
	return netip.Addr{}, false
}

// WithAddress is the id of the interface with a private address that a Bastion reaches, or "".
func WithAddress(s *arm.Server, b network.Bastion, a netip.Addr) string {
	for _, nic := range s.OfType(network.NICType) {
		for _, e := range azjson.List(nic.Body, "properties", "ipConfigurations") {
			if own, err := netip.ParseAddr(azjson.Str(e, "properties", "privateIPAddress")); err == nil && own == a && Reaches(s, b, nic.ID) {
				return nic.ID
			}
		}
	}
	return ""
}
