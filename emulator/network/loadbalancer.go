package network

import (
	"slices"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
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
	if azjson.Str(r.Body, "sku", "name") == "" {
		azjson.Put(r.Body, "Basic", "sku", "name")
	}
	azjson.Default(r.Body, "Regional", "sku", "tier")
	r.Retag()
	for _, collection := range collections() {
		azjson.Default(r.Props(), []any{}, collection)
		for _, e := range azjson.List(r.Body, "properties", collection) {
			o, ok := e.(azjson.Object)
			if !ok || azjson.Str(o, "name") == "" {
				return arm.BadRequest("InvalidRequestFormat", "Cannot parse the request.").Empty()
			}
			child(r, o, collection, LoadBalancerType+"/"+collection)
			completeBalanced(collection, azjson.Map(o, "properties"))
		}
	}
	refer(r)
	for _, e := range azjson.List(r.Body, "properties", "frontendIPConfigurations") {
		props := azjson.Map(e, "properties")
		if id := azjson.Str(props, "publicIPAddress", "id"); id != "" {
			pip := p.s.FindType(PublicIPType, id)
			if pip == nil || pip.Location() != r.Location() {
				return missing(id, r.ID)
			}
			if h := p.holders(pip); h != nil && resourceid.Key(h[0]) != resourceid.Key(azjson.Str(e, "id")) {
				return addressTaken(azjson.Str(e, "id"), pip.ID, h[0])
			}
			azjson.Put(props, pip.ID, "publicIPAddress", "id")
			continue
		}
		id := azjson.Str(props, "subnet", "id")
		subnet, vnet := p.subnet(id)
		if subnet == nil || vnet.Location() != r.Location() {
			return missing(id, r.ID)
		}
		azjson.Put(props, azjson.Str(subnet, "id"), "subnet", "id")
		azjson.Default(props, "IPv4", "privateIPAddressVersion")
		if err := p.privateAddress(r, old, e.(azjson.Object), subnet); err != nil {
			return err
		}
	}
	return nil
}

// inSubnet reports whether a frontend of a load balancer is in a network, which takes a while to be made.
func inSubnet(r *arm.Resource) bool {
	return slices.ContainsFunc(azjson.List(r.Body, "properties", "frontendIPConfigurations"), func(e any) bool {
		return azjson.Str(e, "properties", "subnet", "id") != ""
	})
}

// completeBalanced adds to a child of a load balancer what Azure shows without being asked.
func completeBalanced(collection string, props azjson.Object) {
	switch collection {
	case "frontendIPConfigurations":
		azjson.Default(props, "Dynamic", "privateIPAllocationMethod")
	case "backendAddressPools":
		azjson.Default(props, []any{}, "loadBalancerBackendAddresses")
	case "loadBalancingRules", "inboundNatRules":
		for _, k := range []string{"enableFloatingIP", "enableTcpReset", "enableDestinationServiceEndpoint", "allowBackendPortConflict"} {
			azjson.Default(props, false, k)
		}
		azjson.Default(props, 4, "idleTimeoutInMinutes")
		if collection == "loadBalancingRules" {
			azjson.Default(props, "Default", "loadDistribution")
			azjson.Default(props, false, "disableOutboundSnat")
			if pool := azjson.Map(props, "backendAddressPool"); pool != nil {
				azjson.Default(props, []any{azjson.Clone(pool)}, "backendAddressPools")
			}
		}
	case "probes":
		azjson.Default(props, 1, "probeThreshold")
	case "outboundRules":
		azjson.Default(props, 1024, "allocatedOutboundPorts")
		azjson.Default(props, false, "enableTcpReset")
		azjson.Default(props, 4, "idleTimeoutInMinutes")
		azjson.Default(props, azjson.Object{"onDemandAllocation": false, "portReuse": "FirstAvailable"}, "allocationPolicy")
	}
}

// refer has the children that rules of a load balancer name tell which rules those are.
func refer(r *arm.Resource) {
	named := map[string]azjson.Object{}
	rules := []string{"loadBalancingRules", "outboundRules", "inboundNatRules", "inboundNatPools"}
	for _, collection := range []string{"frontendIPConfigurations", "backendAddressPools", "probes"} {
		for _, e := range azjson.List(r.Body, "properties", collection) {
			props := azjson.Map(e, "properties")
			for _, k := range rules {
				delete(props, k) // read-only
			}
			named[resourceid.Key(azjson.Str(e, "id"))] = props
		}
	}
	for _, collection := range rules {
		for _, rule := range azjson.List(r.Body, "properties", collection) {
			for _, k := range []string{"frontendIPConfiguration", "backendAddressPool", "probe"} {
				names := []any{azjson.Map(rule, "properties", k)}
				if k == "frontendIPConfiguration" {
					names = append(names, azjson.List(rule, "properties", "frontendIPConfigurations")...)
				}
				for _, e := range names {
					if props := named[resourceid.Key(azjson.Str(e, "id"))]; props != nil {
						props[collection] = append(azjson.List(props, collection), azjson.Object{"id": azjson.Str(rule, "id")})
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
		for _, e := range azjson.List(x.Body, "properties", "frontendIPConfigurations") {
			pip := p.s.FindType(PublicIPType, azjson.Str(e, "properties", "publicIPAddress", "id"))
			switch {
			case pip == nil || held[resourceid.Key(pip.ID)]:
			case x == r:
				held[resourceid.Key(pip.ID)] = true
				p.associate(pip, azjson.Str(e, "id"))
			default:
				p.associate(pip, "")
			}
		}
	}
}
