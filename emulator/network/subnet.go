package network

import (
	"net/http"
	"net/netip"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/polling"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
	"github.com/azlin-dev/azlin/emulator/network/ipam"
)

const subnetType = VNetType + "/subnets"

// privateSubnets is the api-version from which on a new subnet has no outbound access by default.
const privateSubnets = "2025-07-01"

func (p *Provider) subnets() {
	s, v := p.s, Versions()
	const in = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Network/virtualNetworks/{virtualNetworkName}/subnets"
	const one = in + "/{subnetName}"
	s.RegisterKind("subnet.delete", arm.Kind{Finish: p.finishSubnetDelete})
	s.Handle(http.MethodGet, in, v, func(c *arm.Call) (*arm.Reply, error) {
		vnet, err := p.vnetOf(c)
		if err != nil {
			return nil, err
		}
		l := azjson.Clone(azjson.List(vnet.Body, "properties", "subnets"))
		for _, e := range l {
			p.viewSubnet(e.(azjson.Object))
		}
		return c.Page(l), nil
	})
	s.Handle(http.MethodGet, one, v, func(c *arm.Call) (*arm.Reply, error) {
		vnet, err := p.vnetOf(c)
		if err != nil {
			return nil, err
		}
		o, _ := find(azjson.List(vnet.Body, "properties", "subnets"), c.Param("subnetName"))
		if o == nil {
			return nil, noChild(c)
		}
		o = azjson.Clone(o)
		p.viewSubnet(o)
		return arm.OK(o).With("Etag", azjson.Str(o, "etag")), nil
	})
	s.Handle(http.MethodPut, one, v, p.putChild(childKind{
		list: "subnets", param: "subnetName", parent: p.vnetOf,
		build: func(c *arm.Call, vnet *arm.Resource, siblings []any, o azjson.Object) error {
			prefixes, err := ipam.Spaces(vnet)
			if err != nil {
				return err
			}
			return p.buildSubnet(c, vnet, prefixes, siblings, o)
		},
		view: func(_ *arm.Resource, o azjson.Object) { p.viewSubnet(o) },
	}))
	s.Handle(http.MethodDelete, one, v, p.deleteSubnet)
}

// noChild is Microsoft.Network's 404 for a resource inside another.
func noChild(c *arm.Call) error {
	return arm.Refuse(http.StatusNotFound, "NotFound", "Resource %s not found.", c.Path).Empty()
}

// parentOf finds the resource that holds the one a call is about.
func (p *Provider) parentOf(c *arm.Call, kind, param string) (*arm.Resource, error) {
	id := c.ID("Microsoft.Network", kind, c.Param(param))
	if r := p.s.Find(id); r != nil {
		return r, nil
	}
	parsed, err := resourceid.Parse(id)
	if err != nil {
		return nil, err
	}
	return nil, arm.NotFound(parsed)
}

func (p *Provider) vnetOf(c *arm.Call) (*arm.Resource, error) {
	return p.parentOf(c, "virtualNetworks", "virtualNetworkName")
}

// buildSubnet judges one subnet beside its siblings and completes it.
func (p *Provider) buildSubnet(c *arm.Call, vnet *arm.Resource, spaces []netip.Prefix, siblings []any, o azjson.Object) error {
	name := azjson.Str(o, "name")
	if err := rule(subnetType).Check(name); err != nil {
		return err
	}
	child(vnet, o, "subnets", subnetType)
	pf, ok := ipam.PrefixOf(o)
	if !ok {
		return arm.BadRequest("InvalidAddressPrefixFormat", "Address prefix %s of resource %s is not formatted correctly. It should follow CIDR notation, for example 10.0.0.0/24.", azjson.Str(o, "properties", "addressPrefix"), azjson.Str(o, "id")).Empty()
	}
	inside := false
	for _, s := range spaces {
		inside = inside || s.Bits() <= pf.Bits() && s.Contains(pf.Addr())
	}
	if !inside || pf.Addr().Is4() && pf.Bits() > 29 {
		return arm.BadRequest("NetcfgInvalidSubnet", "Subnet '%s' is not valid in virtual network '%s'.", name, vnet.Name()).Empty()
	}
	for _, e := range siblings {
		if other, ok := ipam.PrefixOf(e.(azjson.Object)); ok && other.Overlaps(pf) {
			return arm.BadRequest("NetcfgSubnetRangesOverlap", "Subnet '%s' is not valid because its IP address range overlaps with that of an existing subnet in virtual network '%s'.", name, vnet.Name()).Empty()
		}
	}
	if id := azjson.Str(o, "properties", "networkSecurityGroup", "id"); id != "" && p.s.FindType(NSGType, id) == nil {
		return missing(id, azjson.Str(o, "id"))
	}
	if id := azjson.Str(o, "properties", "natGateway", "id"); id != "" && p.s.FindType(NATType, id) == nil {
		return missing(id, azjson.Str(o, "id"))
	}
	azjson.Default(o, []any{}, "properties", "delegations")
	azjson.Default(o, "Disabled", "properties", "privateEndpointNetworkPolicies")
	azjson.Default(o, "Enabled", "properties", "privateLinkServiceNetworkPolicies")
	if c.Version >= privateSubnets {
		azjson.Default(o, false, "properties", "defaultOutboundAccess")
	}
	return nil
}

func (p *Provider) subnet(id string) (azjson.Object, *arm.Resource) { return SubnetOf(p.s, id) }

// SubnetOf finds a subnet by its id, with its virtual network.
func SubnetOf(s *arm.Server, id string) (azjson.Object, *arm.Resource) {
	vnet := s.FindType(VNetType, resourceid.ParentOf(id))
	if vnet == nil {
		return nil, nil
	}
	o, _ := find(azjson.List(vnet.Body, "properties", "subnets"), resourceid.NameOf(id))
	return o, vnet
}

func (p *Provider) viewSubnet(o azjson.Object) {
	var l []any
	for _, id := range p.usersOfSubnet(azjson.Str(o, "id")) {
		l = append(l, azjson.Object{"id": id})
	}
	if l != nil {
		azjson.Put(o, l, "properties", "ipConfigurations")
	}
}

// usersOfSubnet are the IP configurations in a subnet.
func (p *Provider) usersOfSubnet(id string) []string {
	key := resourceid.Key(id)
	var l []string
	for _, typ := range []string{NICType, BastionType, LoadBalancerType} {
		for _, r := range p.s.OfType(typ) {
			for _, e := range azjson.List(r.Body, "properties", configurations(typ)) {
				if resourceid.Key(azjson.Str(e, "properties", "subnet", "id")) == key {
					l = append(l, azjson.Str(e, "id"))
				}
			}
		}
	}
	return l
}

// configurations is what the IP configurations of a type are called.
func configurations(typ string) string {
	if azjson.Fold(typ, LoadBalancerType) {
		return "frontendIPConfigurations"
	}
	return "ipConfigurations"
}

// takenIn are the private addresses in a subnet that are another resource's, with the configuration that has each.
func (p *Provider) takenIn(subnet, but string) map[netip.Addr]string {
	taken := map[netip.Addr]string{}
	for _, typ := range []string{NICType, LoadBalancerType} {
		for _, r := range p.s.OfType(typ) {
			if azjson.Fold(r.ID, but) {
				continue
			}
			for _, e := range azjson.List(r.Body, "properties", configurations(typ)) {
				if a, err := netip.ParseAddr(azjson.Str(e, "properties", "privateIPAddress")); err == nil && azjson.Fold(azjson.Str(e, "properties", "subnet", "id"), subnet) {
					taken[a] = azjson.Str(e, "id")
				}
			}
		}
	}
	return taken
}

func (p *Provider) subnetInUse(id string) *arm.Error {
	users := p.usersOfSubnet(id)
	if len(users) == 0 {
		return nil
	}
	return arm.BadRequest("InUseSubnetCannotBeDeleted",
		"Subnet %s is in use by %s and cannot be deleted. In order to delete the subnet, delete all the resources within the subnet. See aka.ms/deletesubnet.", resourceid.NameOf(id), users[0]).Empty()
}

func (p *Provider) deleteSubnet(c *arm.Call) (*arm.Reply, error) {
	vnet, err := p.vnetOf(c)
	if err != nil {
		return nil, err
	}
	o, _ := find(azjson.List(vnet.Body, "properties", "subnets"), c.Param("subnetName"))
	if o == nil {
		return arm.Status(http.StatusNoContent), nil
	}
	if op := p.s.Current(vnet.ID); op != nil {
		return nil, p.inProgress(op)
	}
	if e := p.subnetInUse(azjson.Str(o, "id")); e != nil {
		return nil, e
	}
	op := p.s.Begin("subnet.delete", vnet.ID, vnet.Location(), azjson.Object{"name": azjson.Str(o, "name")})
	return c.Async(arm.Status(http.StatusAccepted), op, polling.NetworkDelete()), nil
}

func (p *Provider) finishSubnetDelete(op *arm.Operation, _ error) (time.Duration, error) {
	vnet := p.s.Find(op.Target)
	if vnet == nil {
		return 0, nil
	}
	list := azjson.List(vnet.Body, "properties", "subnets")
	o, at := find(list, azjson.Str(op.Args, "name"))
	if o == nil {
		return 0, nil
	}
	if e := p.subnetInUse(azjson.Str(o, "id")); e != nil {
		return 0, e
	}
	vnet.Props()["subnets"] = append(append([]any{}, list[:at]...), list[at+1:]...)
	vnet.Retag()
	p.s.Touch(vnet)
	return 0, nil
}
