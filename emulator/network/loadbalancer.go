package network

import (
	"slices"

	"github.com/azlin-dev/azlin/emulator/arm"
)

// collections are the children that live in a load balancer.
func collections() []string {
	return []string{"frontendIPConfigurations", "backendAddressPools", "loadBalancingRules", "probes", "inboundNatRules", "inboundNatPools", "outboundRules"}
}

// loadBalancers are there for what they hold: the addresses of their frontends. They forward nothing.
func (p *Provider) loadBalancers() {
	p.s.Register(&arm.Type{
		Name: LoadBalancerType, Versions: Versions(), Rank: 25,
		Removed: func(r *arm.Resource) { p.storedBalancer(nil, r) },
	})
	p.serve(kind{
		typ: LoadBalancerType, param: "loadBalancerName", async: true, build: p.buildBalancer, stored: p.storedBalancer,
		prompt: func(r *arm.Resource) bool { return !inSubnet(r) },
	})
}

func (p *Provider) buildBalancer(_ *arm.Call, r, old *arm.Resource) error {
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
			completeBalanced(collection, arm.Map(o, "properties"))
		}
	}
	refer(r)
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
		arm.Put(props, arm.Str(subnet, "id"), "subnet", "id")
		arm.Default(props, "IPv4", "privateIPAddressVersion")
		if err := p.privateAddress(r, old, e.(arm.Object), subnet); err != nil {
			return err
		}
	}
	return nil
}

// inSubnet reports whether a frontend of a load balancer is in a network, which takes a while to be made.
func inSubnet(r *arm.Resource) bool {
	return slices.ContainsFunc(arm.List(r.Body, "properties", "frontendIPConfigurations"), func(e any) bool {
		return arm.Str(e, "properties", "subnet", "id") != ""
	})
}

// completeBalanced adds to a child of a load balancer what Azure shows without being asked.
func completeBalanced(collection string, props arm.Object) {
	switch collection {
	case "frontendIPConfigurations":
		arm.Default(props, "Dynamic", "privateIPAllocationMethod")
	case "backendAddressPools":
		arm.Default(props, []any{}, "loadBalancerBackendAddresses")
	case "loadBalancingRules", "inboundNatRules":
		for _, k := range []string{"enableFloatingIP", "enableTcpReset", "enableDestinationServiceEndpoint", "allowBackendPortConflict"} {
			arm.Default(props, false, k)
		}
		arm.Default(props, 4, "idleTimeoutInMinutes")
		if collection == "loadBalancingRules" {
			arm.Default(props, "Default", "loadDistribution")
			arm.Default(props, false, "disableOutboundSnat")
			if pool := arm.Map(props, "backendAddressPool"); pool != nil {
				arm.Default(props, []any{arm.Clone(pool)}, "backendAddressPools")
			}
		}
	case "probes":
		arm.Default(props, 1, "probeThreshold")
	case "outboundRules":
		arm.Default(props, 1024, "allocatedOutboundPorts")
		arm.Default(props, false, "enableTcpReset")
		arm.Default(props, 4, "idleTimeoutInMinutes")
		arm.Default(props, arm.Object{"onDemandAllocation": false, "portReuse": "FirstAvailable"}, "allocationPolicy")
	}
}

// refer has the children that rules of a load balancer name tell which rules those are.
func refer(r *arm.Resource) {
	named := map[string]arm.Object{}
	rules := []string{"loadBalancingRules", "outboundRules", "inboundNatRules", "inboundNatPools"}
	for _, collection := range []string{"frontendIPConfigurations", "backendAddressPools", "probes"} {
		for _, e := range arm.List(r.Body, "properties", collection) {
			props := arm.Map(e, "properties")
			for _, k := range rules {
				delete(props, k) // read-only
			}
			named[arm.Key(arm.Str(e, "id"))] = props
		}
	}
	for _, collection := range rules {
		for _, rule := range arm.List(r.Body, "properties", collection) {
			for _, k := range []string{"frontendIPConfiguration", "backendAddressPool", "probe"} {
				names := []any{arm.Map(rule, "properties", k)}
				if k == "frontendIPConfiguration" {
					names = append(names, arm.List(rule, "properties", "frontendIPConfigurations")...)
				}
				for _, e := range names {
					if props := named[arm.Key(arm.Str(e, "id"))]; props != nil {
						props[collection] = append(arm.List(props, collection), arm.Object{"id": arm.Str(rule, "id")})
					}
				}
			}
		}
	}
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
