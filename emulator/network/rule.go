package network

import (
	"net/http"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/polling"
	"github.com/azlin-dev/azlin/emulator/network/securityrule"
)

const ruleType = NSGType + "/securityRules"

func (p *Provider) rules() {
	s, v := p.s, Versions()
	const nsg = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Network/networkSecurityGroups/{networkSecurityGroupName}"
	s.RegisterKind("rule.delete", arm.Kind{Finish: p.finishRuleDelete})
	for _, collection := range []string{"securityRules", "defaultSecurityRules"} {
		s.Handle(http.MethodGet, nsg+"/"+collection, v, func(c *arm.Call) (*arm.Reply, error) {
			r, err := p.nsgOf(c)
			if err != nil {
				return nil, err
			}
			return c.Page(azjson.Clone(azjson.List(r.Body, "properties", collection))), nil
		})
	}
	const one = nsg + "/securityRules/{securityRuleName}"
	for collection, param := range map[string]string{"securityRules": "securityRuleName", "defaultSecurityRules": "defaultSecurityRuleName"} {
		s.Handle(http.MethodGet, nsg+"/"+collection+"/{"+param+"}", v, func(c *arm.Call) (*arm.Reply, error) {
			r, err := p.nsgOf(c)
			if err != nil {
				return nil, err
			}
			o, _ := find(azjson.List(r.Body, "properties", collection), c.Param(param))
			if o == nil {
				return nil, noChild(c)
			}
			return arm.OK(azjson.Clone(o)).With("Etag", azjson.Str(o, "etag")), nil
		})
	}
	s.Handle(http.MethodPut, one, v, p.putChild(childKind{
		list: "securityRules", param: "securityRuleName", parent: p.nsgOf,
		build: func(_ *arm.Call, nsg *arm.Resource, siblings []any, o azjson.Object) error {
			return buildRule(nsg, siblings, o)
		},
	}))
	s.Handle(http.MethodDelete, one, v, p.deleteRule)
}

func (p *Provider) nsgOf(c *arm.Call) (*arm.Resource, error) {
	return p.parentOf(c, "networkSecurityGroups", "networkSecurityGroupName")
}

func (p *Provider) deleteRule(c *arm.Call) (*arm.Reply, error) {
	nsg, err := p.nsgOf(c)
	if err != nil {
		return nil, err
	}
	if o, _ := find(azjson.List(nsg.Body, "properties", "securityRules"), c.Param("securityRuleName")); o == nil {
		return arm.Status(http.StatusNoContent), nil
	}
	if op := p.s.Current(nsg.ID); op != nil {
		return nil, p.inProgress(op)
	}
	op := p.s.Begin("rule.delete", nsg.ID, nsg.Location(), azjson.Object{"name": c.Param("securityRuleName")})
	return c.Async(arm.Status(http.StatusAccepted), op, polling.NetworkDelete()), nil
}

func (p *Provider) finishRuleDelete(op *arm.Operation, _ error) (time.Duration, error) {
	nsg := p.s.Find(op.Target)
	if nsg == nil {
		return 0, nil
	}
	list := azjson.List(nsg.Body, "properties", "securityRules")
	if _, at := find(list, azjson.Str(op.Args, "name")); at >= 0 {
		nsg.Props()["securityRules"] = append(append([]any{}, list[:at]...), list[at+1:]...)
		nsg.Retag()
		p.s.Touch(nsg)
	}
	return 0, nil
}

// buildRule judges one rule beside its siblings and completes it.
func buildRule(nsg *arm.Resource, siblings []any, o azjson.Object) error {
	if err := rule(ruleType).Check(azjson.Str(o, "name")); err != nil {
		return err
	}
	child(nsg, o, "securityRules", ruleType)
	return securityrule.Judge(siblings, o)
}
