package network

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm"
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
			return c.Page(arm.Clone(arm.List(r.Body, "properties", collection))), nil
		})
	}
	const one = nsg + "/securityRules/{securityRuleName}"
	for collection, param := range map[string]string{"securityRules": "securityRuleName", "defaultSecurityRules": "defaultSecurityRuleName"} {
		s.Handle(http.MethodGet, nsg+"/"+collection+"/{"+param+"}", v, func(c *arm.Call) (*arm.Reply, error) {
			r, err := p.nsgOf(c)
			if err != nil {
				return nil, err
			}
			o, _ := find(arm.List(r.Body, "properties", collection), c.Param(param))
			if o == nil {
				return nil, noChild(c)
			}
			return arm.OK(arm.Clone(o)).With("Etag", arm.Str(o, "etag")), nil
		})
	}
	s.Handle(http.MethodPut, one, v, p.putChild(childKind{
		list: "securityRules", param: "securityRuleName", parent: p.nsgOf,
		build: func(_ *arm.Call, nsg *arm.Resource, siblings []any, o arm.Object) error {
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
	if o, _ := find(arm.List(nsg.Body, "properties", "securityRules"), c.Param("securityRuleName")); o == nil {
		return arm.Status(http.StatusNoContent), nil
	}
	if op := p.s.Current(nsg.ID); op != nil {
		return nil, p.inProgress(op)
	}
	op := p.s.Begin("rule.delete", nsg.ID, nsg.Location(), arm.Object{"name": c.Param("securityRuleName")})
	return c.Async(arm.Status(http.StatusAccepted), op, arm.NetworkDelete()), nil
}

func (p *Provider) finishRuleDelete(op *arm.Operation, _ error) (time.Duration, error) {
	nsg := p.s.Find(op.Target)
	if nsg == nil {
		return 0, nil
	}
	list := arm.List(nsg.Body, "properties", "securityRules")
	if _, at := find(list, arm.Str(op.Args, "name")); at >= 0 {
		nsg.Props()["securityRules"] = append(append([]any{}, list[:at]...), list[at+1:]...)
		nsg.Retag()
		p.s.Touch(nsg)
	}
	return 0, nil
}

// buildRule judges one rule beside its siblings and completes it.
func buildRule(nsg *arm.Resource, siblings []any, o arm.Object) error {
	name := arm.Str(o, "name")
	if err := rule(ruleType).Check(name); err != nil {
		return err
	}
	child(nsg, o, "securityRules", ruleType)
	props := arm.Map(o, "properties")
	for _, k := range []string{"access", "direction", "protocol"} {
		allowed := map[string][]string{"access": {"Allow", "Deny"}, "direction": {"Inbound", "Outbound"}, "protocol": {"*", "Tcp", "Udp", "Icmp", "Esp", "Ah"}}[k]
		given := arm.Str(props, k)
		props[k] = ""
		for _, a := range allowed {
			if arm.Fold(a, given) {
				props[k] = a
			}
		}
		if props[k] == "" {
			return arm.BadRequest("SecurityRuleInvalid"+strings.ToUpper(k[:1])+k[1:], "Security rule has invalid %s. Value provided: %s. Allowed values are: %s.", k, given, strings.Join(allowed, ",")).Empty()
		}
	}
	n, ok := arm.Int(props, "priority")
	if !ok || n < 100 || n > 4096 {
		return arm.BadRequest("SecurityRuleInvalidPriority", "Security rule has invalid Priority. Value provided: %v. Allowed range 100-4096.", props["priority"]).Empty()
	}
	for _, e := range siblings {
		if other, _ := arm.Int(e, "properties", "priority"); other == n && arm.Str(e, "properties", "direction") == props["direction"] {
			return arm.BadRequest("SecurityRuleConflict", "Security rule %s conflicts with rule %s. Rules cannot have the same Priority and Direction.", name, arm.Str(e, "name")).Empty()
		}
	}
	for _, side := range []string{"source", "destination"} {
		if err := sideOf(nsg, props, name, side); err != nil {
			return err
		}
	}
	return nil
}

// sideOf judges the ports and addresses of the source or the destination.
func sideOf(nsg *arm.Resource, props arm.Object, name, side string) error {
	for _, k := range []string{"PortRange", "AddressPrefix"} {
		one, many := side+k, side+k+"s"
		if k == "AddressPrefix" {
			many = side + "AddressPrefixes"
		}
		arm.Default(props, []any{}, many)
		values := arm.List(props, many)
		if s := arm.Str(props, one); s != "" {
			values = append([]any{s}, values...)
		}
		groups := arm.List(props, side+"ApplicationSecurityGroups")
		if len(values) == 0 && (k == "PortRange" || len(groups) == 0) {
			return arm.BadRequest("SecurityRuleParameterNotSet", "Required security rule parameters are missing for security rule with Id: %s. Security rule must specify %s or %s.", nsg.ID+"/securityRules/"+name, one, many).Empty()
		}
		for _, v := range values {
			s, _ := v.(string)
			if k == "PortRange" {
				if _, _, ok := portRange(s); !ok {
					return arm.BadRequest("SecurityRuleInvalidPortRange", "Security rule has invalid Port range. Value provided: %s. Value should be an integer OR integer range with '-' delimiter. Valid range 0-65535.", s).Empty()
				}
			} else if !validPrefix(s) {
				return arm.BadRequest("SecurityRuleInvalidAddressPrefix", "Security rule has invalid Address prefix. Value provided: %s", s).Empty()
			}
		}
	}
	return nil
}

// portRange reads 22, 20-25 or *.
func portRange(s string) (low, high int, ok bool) {
	if s == "*" {
		return 0, 65535, true
	}
	a, b, dash := strings.Cut(s, "-")
	if !dash {
		b = a
	}
	low, errA := strconv.Atoi(a)
	high, errB := strconv.Atoi(b)
	return low, high, errA == nil && errB == nil && 0 <= low && low <= high && high <= 65535 && a[0] != '+' && b[0] != '+'
}

// validPrefix reports whether s is an address, a range or a service tag.
func validPrefix(s string) bool {
	if s == "*" {
		return true
	}
	if pf, err := netip.ParsePrefix(s); err == nil {
		return pf.Masked() == pf || pf.Bits() == pf.Addr().BitLen()
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	if s == "" || !isLetter(s[0]) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isLetter(c) && (c < '0' || c > '9') && c != '.' {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
