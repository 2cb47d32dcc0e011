package network

import (
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
	"github.com/azlin-dev/azlin/emulator/network/securityrule"
)

func (p *Provider) nsgs() {
	p.s.Register(&arm.Type{
		Name: NSGType, Versions: Versions(), Rank: 60,
		View: func(r *arm.Resource, o azjson.Object) {
			nics, subnets := p.usersOfNSG(r.ID)
			for name, ids := range map[string][]string{"networkInterfaces": nics, "subnets": subnets} {
				var l []any
				for _, id := range ids {
					l = append(l, azjson.Object{"id": id})
				}
				if l != nil {
					azjson.Put(o, l, "properties", name)
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
	azjson.Default(r.Body, []any{}, "properties", "securityRules")
	var seen []any
	for _, e := range azjson.List(r.Body, "properties", "securityRules") {
		o, ok := e.(azjson.Object)
		if !ok || azjson.Str(o, "name") == "" {
			return arm.BadRequest("InvalidRequestFormat", "Cannot parse the request.").Empty()
		}
		if err := buildRule(r, seen, o); err != nil {
			return err
		}
		seen = append(seen, o)
	}
	var defaults []any
	for _, o := range securityrule.Defaults() {
		child(r, o, "defaultSecurityRules", NSGType+"/defaultSecurityRules")
		defaults = append(defaults, o)
	}
	r.Props()["defaultSecurityRules"] = defaults
	return nil
}

// usersOfNSG are the interfaces and subnets that a security group is on.
func (p *Provider) usersOfNSG(id string) (nics, subnets []string) {
	key := resourceid.Key(id)
	for _, nic := range p.s.OfType(NICType) {
		if resourceid.Key(azjson.Str(nic.Body, "properties", "networkSecurityGroup", "id")) == key {
			nics = append(nics, nic.ID)
		}
	}
	for _, vnet := range p.s.OfType(VNetType) {
		for _, e := range azjson.List(vnet.Body, "properties", "subnets") {
			if resourceid.Key(azjson.Str(e, "properties", "networkSecurityGroup", "id")) == key {
				subnets = append(subnets, azjson.Str(e, "id"))
			}
		}
	}
	return nics, subnets
}
