package network

import (
	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/network/ipam"
)

func (p *Provider) vnets() {
	p.s.Register(&arm.Type{
		Name: VNetType, Versions: Versions(), Rank: 50,
		View:      p.viewVNet,
		Referrers: func(r *arm.Resource) []string { return p.usersOfVNet(r) },
		InUse: func(r *arm.Resource) *arm.Error {
			for _, e := range azjson.List(r.Body, "properties", "subnets") {
				if e := p.subnetInUse(azjson.Str(e, "id")); e != nil {
					return e
				}
			}
			return nil
		},
		Removed: p.removedVNet,
	})
	p.serve(kind{typ: VNetType, param: "virtualNetworkName", async: true, alone: true, build: p.buildVNet})
}

func (p *Provider) buildVNet(c *arm.Call, r, old *arm.Resource) error {
	props := r.Props()
	prefixes, err := ipam.Spaces(r)
	if err != nil {
		return err
	}
	if props["dhcpOptions"] != nil {
		azjson.Default(props, []any{}, "dhcpOptions", "dnsServers")
	}
	if old != nil && props["virtualNetworkPeerings"] == nil {
		props["virtualNetworkPeerings"] = azjson.Clone(azjson.List(old.Body, "properties", "virtualNetworkPeerings"))
	}
	azjson.Default(props, []any{}, "virtualNetworkPeerings")
	var peers []any
	for _, e := range azjson.List(props, "virtualNetworkPeerings") {
		o, ok := e.(azjson.Object)
		if !ok || azjson.Str(o, "name") == "" {
			return arm.BadRequest("InvalidRequestFormat", "Cannot parse the request.").Empty()
		}
		if err := p.buildPeering(r, peers, o); err != nil {
			return err
		}
		peers = append(peers, o)
	}
	azjson.Default(props, false, "enableDdosProtection")
	azjson.Default(props, []any{}, "subnets")
	var kept []any
	for _, e := range azjson.List(props, "subnets") {
		o, ok := e.(azjson.Object)
		if !ok || azjson.Str(o, "name") == "" {
			return arm.BadRequest("InvalidRequestFormat", "Cannot parse the request.").Empty()
		}
		if err := p.buildSubnet(c, r, prefixes, kept, o); err != nil {
			return err
		}
		kept = append(kept, o)
	}
	if old != nil {
		for _, e := range azjson.List(old.Body, "properties", "subnets") {
			if o, _ := find(kept, azjson.Str(e, "name")); o == nil {
				if e := p.subnetInUse(azjson.Str(e, "id")); e != nil {
					return e
				}
			}
		}
	}
	return nil
}

// viewVNet lists in each subnet what uses it, and says how peerings stand.
func (p *Provider) viewVNet(r *arm.Resource, o azjson.Object) {
	for _, e := range azjson.List(o, "properties", "subnets") {
		p.viewSubnet(e.(azjson.Object))
	}
	for _, e := range azjson.List(o, "properties", "virtualNetworkPeerings") {
		p.viewPeering(r, e.(azjson.Object))
	}
}

func (p *Provider) usersOfVNet(r *arm.Resource) []string {
	var l []string
	for _, e := range azjson.List(r.Body, "properties", "subnets") {
		l = append(l, p.usersOfSubnet(azjson.Str(e, "id"))...)
	}
	return l
}
