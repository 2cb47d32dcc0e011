package network

import (
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/network/securityrule"
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
	for _, o := range securityrule.Defaults() {
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
