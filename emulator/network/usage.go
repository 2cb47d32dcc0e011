package network

import (
	"net/http"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/geography"
)

// counted are the limits of a region that the emulator knows, with what is counted.
type counted struct {
	name, text string
	limit      int
	count      func(r *arm.Resource) bool
	typ        string
}

func (p *Provider) counters() []counted {
	always := func(*arm.Resource) bool { return true }
	standard := func(r *arm.Resource) bool { return !azjson.Fold(azjson.Str(r.Body, "sku", "name"), "Basic") }
	l := []counted{
		{"VirtualNetworks", "Virtual Networks", 1000, always, VNetType},
		{"StaticPublicIPAddresses", "Static Public IP Addresses", 1000, func(r *arm.Resource) bool {
			return azjson.Fold(azjson.Str(r.Body, "properties", "publicIPAllocationMethod"), "Static")
		}, PublicIPType},
		{"NetworkSecurityGroups", "Network Security Groups", 5000, always, NSGType},
		{"PublicIPAddresses", "Public IP Addresses", 1000, always, PublicIPType},
		{"NetworkInterfaces", "Network Interfaces", 65536, always, NICType},
		{"NatGateways", "NAT Gateways", 1000, always, NATType},
		{"IPv4StandardSkuPublicIpAddresses", "Public IPv4 Addresses - Standard", 1000, standard, PublicIPType},
		{"IPv4BasicSkuPublicIpAddresses", "Public IPv4 Addresses - Basic", 1000, func(r *arm.Resource) bool { return !standard(r) }, PublicIPType},
	}
	for i := range l {
		for name, n := range p.limits {
			if azjson.Fold(name, l[i].name) {
				l[i].limit = n
			}
		}
	}
	return l
}

func (p *Provider) used(c counted, location string) int {
	n := 0
	for _, r := range p.s.OfType(c.typ) {
		if r.Location() == location && c.count(r) {
			n++
		}
	}
	return n
}

func (p *Provider) usages() {
	p.s.Handle(http.MethodGet, "/subscriptions/{subscriptionId}/providers/Microsoft.Network/locations/{location}/usages", Versions(), func(c *arm.Call) (*arm.Reply, error) {
		region, ok := geography.FindRegion(c.Param("location"))
		if !ok {
			return nil, arm.LocationNotAvailable(c.Param("location"), "locations/usages")
		}
		l := []any{}
		for _, n := range p.counters() {
			l = append(l, azjson.Object{
				"id":           "/subscriptions/" + c.Sub() + "/providers/Microsoft.Network/locations/" + region.Name + "/usages/" + n.name,
				"currentValue": p.used(n, region.Name), "limit": n.limit, "unit": "Count",
				"name": azjson.Object{"value": n.name, "localizedValue": n.text},
			})
		}
		return c.Page(l), nil
	})
}

// quota refuses a public address beyond the region's limit.
func (p *Provider) quota(location string) *arm.Error {
	for _, n := range p.counters() {
		if n.name == "PublicIPAddresses" && p.used(n, location) >= n.limit {
			return arm.BadRequest("PublicIPCountLimitReached", "Cannot create more than %d public IP addresses for this subscription in this region.", n.limit).Empty()
		}
	}
	return nil
}
