package network

import "github.com/azlin-dev/azlin/emulator/arm"

// collections are the children that live in a load balancer.
func collections() []string {
	return []string{"frontendIPConfigurations", "backendAddressPools", "loadBalancingRules", "probes", "inboundNatRules", "inboundNatPools", "outboundRules"}
}

// loadBalancers are there for what they hold: the public addresses of their frontends. They forward nothing.
func (p *Provider) loadBalancers() {
	p.s.Register(&arm.Type{
		Name: LoadBalancerType, Versions: Versions(), Rank: 25,
		Removed: func(r *arm.Resource) { p.storedBalancer(nil, r) },
	})
	p.serve(kind{typ: LoadBalancerType, param: "loadBalancerName", async: true, build: p.buildBalancer, stored: p.storedBalancer})
}

func (p *Provider) buildBalancer(_ *arm.Call, r, _ *arm.Resource) error {
	if arm.Str(r.Body, "sku", "name") == "" {
		arm.Put(r.Body, "Basic", "sku", "name")
	}
	arm.Default(r.Body, "Regional", "sku", "tier")
	r.Retag()
	for _, collection := range collections() {
		arm.Default(r.Props(), []any{}, collection)
		for _, e := range arm.List(r.Body, "properties", collection) {
			o, ok := e.(arm.Object)
			if !ok || arm.Str(o, "name") == "" {
				return arm.BadRequest("InvalidRequestFormat", "Cannot parse the request.").Empty()
			}
			child(r, o, collection, LoadBalancerType+"/"+collection)
		}
	}
	for _, e := range arm.List(r.Body, "properties", "frontendIPConfigurations") {
		props := arm.Map(e, "properties")
		if id := arm.Str(props, "publicIPAddress", "id"); id != "" {
			pip := p.s.FindType(PublicIPType, id)
			if pip == nil || pip.Location() != r.Location() {
				return missing(id, r.ID)
			}
			if h := p.holders(pip); h != nil && arm.Key(h[0]) != arm.Key(arm.Str(e, "id")) {
				return addressTaken(arm.Str(e, "id"), pip.ID, h[0])
			}
			arm.Put(props, pip.ID, "publicIPAddress", "id")
			continue
		}
		id := arm.Str(props, "subnet", "id")
		subnet, vnet := p.subnet(id)
		if subnet == nil || vnet.Location() != r.Location() {
			return missing(id, r.ID)
		}
	}
	return nil
}

// storedBalancer keeps the back-references of public addresses.
func (p *Provider) storedBalancer(r, old *arm.Resource) {
	held := map[string]bool{}
	for _, x := range []*arm.Resource{r, old} {
		if x == nil {
			continue
		}
		for _, e := range arm.List(x.Body, "properties", "frontendIPConfigurations") {
			pip := p.s.FindType(PublicIPType, arm.Str(e, "properties", "publicIPAddress", "id"))
			switch {
			case pip == nil || held[arm.Key(pip.ID)]:
			case x == r:
				held[arm.Key(pip.ID)] = true
				p.associate(pip, arm.Str(e, "id"))
			default:
				p.associate(pip, "")
			}
		}
	}
}
