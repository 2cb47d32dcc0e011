package network

import (
	"net/netip"

	"github.com/azlin-dev/azlin/emulator/arm"
)

// Bastion is what its data plane needs to know of a Bastion Host.
type Bastion struct {
	ID        string
	SKU       string
	Address   netip.Addr // where it is reached
	Pod       netip.Addr // Developer: the host that carries the connections
	Tunneling bool       // native clients are let in
	IPConnect bool       // targets may be named by their address
	Source    netip.Addr // where its connections come from, as VMs see them
	vnet      string
}

// developerSource is the address of Azure's platform inside every network.
const developerSource = "168.63.129.16"

// Bastions returns those that are deployed. Callers hold the server's lock.
func (p *Provider) Bastions() []Bastion {
	var l []Bastion
	for _, r := range p.s.OfType(BastionType) {
		if !arm.Bool(r.Hidden, "deployed") {
			continue
		}
		b := Bastion{
			ID: r.ID, SKU: arm.Str(r.Body, "sku", "name"), Address: p.bastionAddress(r), vnet: p.bastionVNet(r),
			Tunneling: arm.Bool(r.Body, "properties", "enableTunneling"), IPConnect: arm.Bool(r.Body, "properties", "enableIpConnect"),
			Source: netip.MustParseAddr(developerSource),
		}
		b.Pod, _ = netip.ParseAddr(arm.Str(r.Hidden, "pod")) // none but Developer has one
		if b.SKU == DeveloperSKU {
			b.Tunneling = true
		}
		for _, e := range arm.List(r.Body, "properties", "ipConfigurations") {
			if subnet, _ := p.subnet(arm.Str(e, "properties", "subnet", "id")); subnet != nil {
				if pf, ok := prefixOf(subnet); ok {
					b.Source = first(pf)
				}
			}
		}
		l = append(l, b)
	}
	return l
}

// Reaches reports whether an interface is in the Bastion's network or, for all SKUs but Developer, in one that
// is peered with it.
func (p *Provider) Reaches(b Bastion, nicID string) bool {
	nic := p.s.FindType(NICType, nicID)
	if nic == nil {
		return false
	}
	for _, e := range arm.List(nic.Body, "properties", "ipConfigurations") {
		_, vnet := p.subnet(arm.Str(e, "properties", "subnet", "id"))
		if vnet != nil && (arm.Key(vnet.ID) == arm.Key(b.vnet) || b.SKU != DeveloperSKU && p.peered(vnet, b.vnet)) {
			return true
		}
	}
	return false
}

// peered reports whether two networks name each other as peers, and neither has lost the other.
func (p *Provider) peered(vnet *arm.Resource, other string) bool {
	there, back := peeringTo(vnet, other), peeringTo(p.s.FindType(VNetType, other), vnet.ID)
	return there != nil && back != nil && arm.Str(there, "properties", "peeringState") != disconnected && arm.Str(back, "properties", "peeringState") != disconnected
}

// AdmittedInside gives the private address of an interface at which a source within the network, such as a Bastion,
// reaches a TCP port: security groups of the subnet and of the interface have to allow it, where there are any.
func (p *Provider) AdmittedInside(nicID string, source netip.Addr, port int) (at netip.Addr, ok bool) {
	nic := p.s.FindType(NICType, nicID)
	if nic == nil {
		return netip.Addr{}, false
	}
	for _, e := range arm.List(nic.Body, "properties", "ipConfigurations") {
		if _, ok := p.judge(nic, e, source, port); ok {
			at, err := netip.ParseAddr(arm.Str(e, "properties", "privateIPAddress"))
			return at, err == nil
		}
	}
	return netip.Addr{}, false
}

// WithAddress is the id of the interface with a private address that a Bastion reaches, or "".
func (p *Provider) WithAddress(b Bastion, a netip.Addr) string {
	for _, nic := range p.s.OfType(NICType) {
		for _, e := range arm.List(nic.Body, "properties", "ipConfigurations") {
			if own, err := netip.ParseAddr(arm.Str(e, "properties", "privateIPAddress")); err == nil && own == a && p.Reaches(b, nic.ID) {
				return nic.ID
			}
		}
	}
	return ""
}
