package network

import (
	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
)

func (p *Provider) natGateways() {
	p.s.Register(&arm.Type{
		Name: NATType, Versions: Versions(), Rank: 55,
		View: func(r *arm.Resource, o azjson.Object) {
			var l []any
			for _, id := range p.usersOfNAT(r) {
				l = append(l, azjson.Object{"id": id})
			}
			if l != nil {
				azjson.Put(o, l, "properties", "subnets")
			}
		},
		Referrers: p.usersOfNAT,
		InUse: func(r *arm.Resource) *arm.Error {
			for _, id := range p.usersOfNAT(r) {
				return arm.BadRequest("InUseNatGatewayCannotBeDeleted", "Nat Gateway %s is in use by subnet %s and cannot be deleted.", r.ID, id).Empty()
			}
			return nil
		},
		Removed: func(r *arm.Resource) { p.holdNATAddresses(nil, r) },
	})
	p.serve(kind{
		typ: NATType, param: "natGatewayName", async: true, alone: true, stored: p.holdNATAddresses,
		build: func(_ *arm.Call, r, _ *arm.Resource) error {
			if azjson.Str(r.Body, "sku", "name") == "" {
				azjson.Put(r.Body, "Standard", "sku", "name")
			}
			azjson.Default(r.Body, "Regional", "sku", "tier")
			azjson.Default(r.Body, 4, "properties", "idleTimeoutInMinutes")
			for _, e := range azjson.List(r.Body, "properties", "publicIpAddresses") {
				id := azjson.Str(e, "id")
				pip := p.s.FindType(PublicIPType, id)
				if pip == nil {
					return missing(id, r.ID)
				}
				if h := p.holders(pip); h != nil && resourceid.Key(h[0]) != resourceid.Key(r.ID) {
					return addressTaken(r.ID, pip.ID, h[0])
				}
			}
			return nil
		},
	})
}

func (p *Provider) usersOfNAT(r *arm.Resource) []string {
	var l []string
	for _, vnet := range p.s.OfType(VNetType) {
		for _, e := range azjson.List(vnet.Body, "properties", "subnets") {
			if resourceid.Key(azjson.Str(e, "properties", "natGateway", "id")) == resourceid.Key(r.ID) {
				l = append(l, azjson.Str(e, "id"))
			}
		}
	}
	return l
}

// holdNATAddresses moves the back-references of public addresses from an old gateway to a new one.
func (p *Provider) holdNATAddresses(r, old *arm.Resource) {
	for _, x := range []*arm.Resource{old, r} {
		if x == nil {
			continue
		}
		for _, e := range azjson.List(x.Body, "properties", "publicIpAddresses") {
			if pip := p.s.FindType(PublicIPType, azjson.Str(e, "id")); pip != nil {
				if x == r {
					azjson.Put(pip.Body, r.ID, "properties", "natGateway", "id")
				} else {
					azjson.Drop(pip.Body, "properties", "natGateway")
				}
				p.s.Touch(pip)
			}
		}
	}
}

func addressTaken(by, id, holder string) *arm.Error {
	return arm.BadRequest("PublicIPAddressInUse", "Resource %s is referencing public IP address %s that is already allocated to resource %s.", by, id, holder).Empty()
}
