package network

import "github.com/azlin-dev/azlin/emulator/arm"

func (p *Provider) natGateways() {
	p.s.Register(&arm.Type{
		Name: NATType, Versions: Versions(), Rank: 55,
		View: func(r *arm.Resource, o arm.Object) {
			var l []any
			for _, id := range p.usersOfNAT(r) {
				l = append(l, arm.Object{"id": id})
			}
			if l != nil {
				arm.Put(o, l, "properties", "subnets")
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
			if arm.Str(r.Body, "sku", "name") == "" {
				arm.Put(r.Body, "Standard", "sku", "name")
			}
			arm.Default(r.Body, "Regional", "sku", "tier")
			arm.Default(r.Body, 4, "properties", "idleTimeoutInMinutes")
			for _, e := range arm.List(r.Body, "properties", "publicIpAddresses") {
				id := arm.Str(e, "id")
				pip := p.s.FindType(PublicIPType, id)
				if pip == nil {
					return missing(id, r.ID)
				}
				if h := p.holders(pip); h != nil && arm.Key(h[0]) != arm.Key(r.ID) {
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
		for _, e := range arm.List(vnet.Body, "properties", "subnets") {
			if arm.Key(arm.Str(e, "properties", "natGateway", "id")) == arm.Key(r.ID) {
				l = append(l, arm.Str(e, "id"))
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
		for _, e := range arm.List(x.Body, "properties", "publicIpAddresses") {
			if pip := p.s.FindType(PublicIPType, arm.Str(e, "id")); pip != nil {
				if x == r {
					arm.Put(pip.Body, r.ID, "properties", "natGateway", "id")
				} else {
					arm.Drop(pip.Body, "properties", "natGateway")
				}
				p.s.Touch(pip)
			}
		}
	}
}

func addressTaken(by, id, holder string) *arm.Error {
	return arm.BadRequest("PublicIPAddressInUse", "Resource %s is referencing public IP address %s that is already allocated to resource %s.", by, id, holder).Empty()
}
