package network

import (
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm"
)

func (p *Provider) nsgs() {
	p.s.Register(&arm.Type{
		Name: NSGType, Versions: Versions(), Rank: 60,
		View: func(r *arm.Resource, o arm.Object) {
			nics, subnets := p.usersOfNSG(r.ID)
			for name, ids := range map[string][]string{"networkInterfaces": nics, "subnets": subnets} {
				var l []any
				for _, id := range ids {
					l = append(l, arm.Object{"id": id})
				}
				if l != nil {
					arm.Put(o, l, "properties", name)
				}
			}
		},
		Referrers: func(r *arm.Resource) []string {
			nics, subnets := p.usersOfNSG(r.ID)
			return append(nics, subnets...)
		},
		InUse: func(r *arm.Resource) *arm.Error {
			nics, subnets := p.usersOfNSG(r.ID)
			users := append(nics, subnets...)
			if len(users) == 0 {
				return nil
			}
			return arm.BadRequest("InUseNetworkSecurityGroupCannotBeDeleted",
				"Network security group %s cannot be deleted because it is in use by the following resources: %s. In order to delete the Network security group, remove the association with the resource(s). To learn how to do this, see aka.ms/deletensg.",
				r.ID, strings.Join(users, ", ")).Empty()
		},
	})
	p.serve(kind{typ: NSGType, param: "networkSecurityGroupName", async: true, alone: true, build: p.buildNSG})
}

func (p *Provider) buildNSG(_ *arm.Call, r, _ *arm.Resource) error {
	arm.Default(r.Body, []any{}, "properties", "securityRules")
	var seen []any
	for _, e := range arm.List(r.Body, "properties", "securityRules") {
		o, ok := e.(arm.Object)
		if !ok || arm.Str(o, "name") == "" {
			return arm.BadRequest("InvalidRequestFormat", "Cannot parse the request.").Empty()
		}
		if err := buildRule(r, seen, o); err != nil {
			return err
		}
		seen = append(seen, o)
	}
	var defaults []any
	for _, o := range defaultRules() {
		child(r, o, "defaultSecurityRules", NSGType+"/defaultSecurityRules")
		defaults = append(defaults, o)
	}
	r.Props()["defaultSecurityRules"] = defaults
	return nil
}

// usersOfNSG are the interfaces and subnets that a security group is on.
func (p *Provider) usersOfNSG(id string) (nics, subnets []string) {
	key := arm.Key(id)
	for _, nic := range p.s.OfType(NICType) {
		if arm.Key(arm.Str(nic.Body, "properties", "networkSecurityGroup", "id")) == key {
			nics = append(nics, nic.ID)
		}
	}
	for _, vnet := range p.s.OfType(VNetType) {
		for _, e := range arm.List(vnet.Body, "properties", "subnets") {
			if arm.Key(arm.Str(e, "properties", "networkSecurityGroup", "id")) == key {
				subnets = append(subnets, arm.Str(e, "id"))
			}
		}
	}
	return nics, subnets
}

// defaultRules are the six rules that every security group ends with.
func defaultRules() []arm.Object {
	rule := func(name, description, direction, source, destination, access string, priority int) arm.Object {
		return arm.Object{"name": name, "properties": arm.Object{
			"description": description, "protocol": "*", "sourcePortRange": "*",
			"destinationPortRange": "*", "sourceAddressPrefix": source, "destinationAddressPrefix": destination, "access": access,
			"priority": priority, "direction": direction, "sourcePortRanges": []any{}, "destinationPortRanges": []any{},
			"sourceAddressPrefixes": []any{}, "destinationAddressPrefixes": []any{},
		}}
	}
	return []arm.Object{
		rule("AllowVnetInBound", "Allow inbound traffic from all VMs in VNET", "Inbound", "VirtualNetwork", "VirtualNetwork", "Allow", 65000),
		rule("AllowAzureLoadBalancerInBound", "Allow inbound traffic from azure load balancer", "Inbound", "AzureLoadBalancer", "*", "Allow", 65001),
		rule("DenyAllInBound", "Deny all inbound traffic", "Inbound", "*", "*", "Deny", 65500),
		rule("AllowVnetOutBound", "Allow outbound traffic from all VMs to all VMs in VNET", "Outbound", "VirtualNetwork", "VirtualNetwork", "Allow", 65000),
		rule("AllowInternetOutBound", "Allow outbound traffic from all VMs to Internet", "Outbound", "*", "Internet", "Allow", 65001),
		rule("DenyAllOutBound", "Deny all outbound traffic", "Outbound", "*", "*", "Deny", 65500),
	}
}
