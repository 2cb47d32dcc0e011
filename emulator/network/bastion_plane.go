package network

import (
	"net/netip"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/network/ipam"
	"github.com/azlin-dev/azlin/emulator/network/securityrule"
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
	VNet      string     // the id of the network that it stands in
}

// Bastions returns those that are deployed. Callers hold the server's lock.
func (p *Provider) Bastions() []Bastion {
	var l []Bastion
	for _, r := range p.s.OfType(BastionType) {
		if !arm.Bool(r.Hidden, "deployed") {
			continue
		}
		b := Bastion{
			ID: r.ID, SKU: arm.Str(r.Body, "sku", "name"), Address: p.bastionAddress(r), VNet: p.bastionVNet(r),
			Tunneling: arm.Bool(r.Body, "properties", "enableTunneling"), IPConnect: arm.Bool(r.Body, "properties", "enableIpConnect"),
			Source: netip.MustParseAddr(securityrule.PlatformAddress),
		}
		b.Pod, _ = netip.ParseAddr(arm.Str(r.Hidden, "pod")) // none but Developer has one
		if b.SKU == DeveloperSKU {
			b.Tunneling = true
		}
		for _, e := range arm.List(r.Body, "properties", "ipConfigurations") {
			if subnet, _ := p.subnet(arm.Str(e, "properties", "subnet", "id")); subnet != nil {
				if pf, ok := ipam.PrefixOf(subnet); ok {
					b.Source = ipam.First(pf)
				}
			}
		}
		l = append(l, b)
	}
	return l
}
