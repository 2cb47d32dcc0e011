package network

import (
	"net/netip"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
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
		if !azjson.Bool(r.Hidden, "deployed") {
			continue
		}
		b := Bastion{
			ID: r.ID, SKU: azjson.Str(r.Body, "sku", "name"), Address: p.bastionAddress(r), VNet: p.bastionVNet(r),
			Tunneling: azjson.Bool(r.Body, "properties", "enableTunneling"), IPConnect: azjson.Bool(r.Body, "properties", "enableIpConnect"),
			Source: netip.MustParseAddr(securityrule.PlatformAddress),
		}
		b.Pod, _ = netip.ParseAddr(azjson.Str(r.Hidden, "pod")) // none but Developer has one
		if b.SKU == DeveloperSKU {
			b.Tunneling = true
		}
		for _, e := range azjson.List(r.Body, "properties", "ipConfigurations") {
			if subnet, _ := p.subnet(azjson.Str(e, "properties", "subnet", "id")); subnet != nil {
				if pf, ok := ipam.PrefixOf(subnet); ok {
					b.Source = ipam.First(pf)
				}
			}
		}
		l = append(l, b)
	}
	return l
}
