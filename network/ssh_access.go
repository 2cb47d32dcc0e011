package network

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// SSHAccess describes one operator's access.
type SSHAccess struct {
	Rule    string // SSHRuleName(operator)
	Sources []netip.Prefix
	Port    int // 0: 22
}

// AllowSSH writes the operator's rule in a network security group, or changes its source addresses, without changing other
// rules (securityRules, one PUT per address family). Correct rules are not written. nsgID is the ARM id of the group.
func (s *Service) AllowSSH(ctx context.Context, nsgID string, a SSHAccess) error {
	id, err := azure.ParseID(nsgID)
	if err != nil {
		return err
	}
	nsg, err := s.azure.NSGs().Get(ctx, id.ResourceGroup, id.Name(), nil)
	if err != nil {
		return azure.Wrap("get network security group", id.Name(), err)
	}
	return s.allow(ctx, id.ResourceGroup, &nsg.SecurityGroup, a)
}

// The priorities of operators' rules: before rules that users add at Azure's default of 4096, after those that a policy sets
// first.
const (
	firstPriority = 1000
	lastPriority  = 1999
)

// allow is AllowSSH with the group already read.
func (s *Service) allow(ctx context.Context, group string, nsg *armnetwork.SecurityGroup, a SSHAccess) error {
	for _, f := range a.families() {
		if err := s.putRule(ctx, group, nsg, f.rule, f.sources, cmp.Or(a.Port, 22)); err != nil {
			return err
		}
	}
	return nil
}

// family is the rule for sources of one address family: Azure allows one per rule.
type family struct {
	rule    string
	sources []string
}

func (a SSHAccess) families() []family {
	var v4, v6 []string
	for _, p := range a.Sources {
		if p = p.Masked(); p.Addr().Is4() {
			v4 = append(v4, p.String())
		} else {
			v6 = append(v6, p.String())
		}
	}
	return slices.DeleteFunc([]family{{a.Rule, sorted(v4)}, {a.Rule + "-v6", sorted(v6)}}, func(f family) bool { return len(f.sources) == 0 })
}

// firstRules are the rules of a new group.
func (a SSHAccess) firstRules() []*armnetwork.SecurityRule {
	var rules []*armnetwork.SecurityRule
	for n, f := range a.families() {
		r := ruleOf(f.sources, cmp.Or(a.Port, 22), firstPriority+int32(n))
		r.Name = new(f.rule)
		rules = append(rules, &r)
	}
	return rules
}

// putRule writes one rule. If two operators choose the same free priority at the same time, the second is refused, reads the
// group again and uses the next one.
func (s *Service) putRule(ctx context.Context, group string, nsg *armnetwork.SecurityGroup, name string, sources []string, port int) error {
	nsgName := azure.Value(nsg.Name)
	for try := 1; ; try++ {
		have, free := rulePriority(nsg, name)
		if have != nil && sameRule(have, sources, port) {
			return nil
		}
		if free == 0 {
			return &errkind.Error{
				Kind: errkind.Quota, Op: "admit to", Resource: nsgName,
				Err: errkind.New(errkind.Quota, "no priority between %d and %d is free", firstPriority, lastPriority),
			}
		}
		_, err := azure.Run(ctx, s.azure, "create security rule", nsgName+"/"+name, func(ctx context.Context) (*runtime.Poller[armnetwork.SecurityRulesClientCreateOrUpdateResponse], error) {
			return s.azure.SecurityRules().BeginCreateOrUpdate(ctx, group, nsgName, name, ruleOf(sources, port, free), nil)
		})
		if err == nil || try == 5 || !strings.EqualFold(azure.Code(err), "SecurityRuleConflict") {
			return err
		}
		again, err := s.azure.NSGs().Get(ctx, group, nsgName, nil)
		if err != nil {
			return azure.Wrap("get network security group", nsgName, err)
		}
		nsg = &again.SecurityGroup
	}
}

func ruleOf(sources []string, port int, priority int32) armnetwork.SecurityRule {
	return armnetwork.SecurityRule{Properties: &armnetwork.SecurityRulePropertiesFormat{
		Description:              new("azlin: SSH for one operator"),
		Access:                   to.Ptr(armnetwork.SecurityRuleAccessAllow),
		Direction:                to.Ptr(armnetwork.SecurityRuleDirectionInbound),
		Protocol:                 to.Ptr(armnetwork.SecurityRuleProtocolTCP),
		Priority:                 new(priority),
		SourceAddressPrefixes:    to.SliceOfPtrs(sources...),
		SourcePortRange:          new("*"),
		DestinationAddressPrefix: new("*"),
		DestinationPortRange:     new(fmt.Sprint(port)),
	}}
}

// rulePriority returns the rule with that name, if it exists, and the priority for writing it: its own, else the first free
// one; 0: none is free.
func rulePriority(nsg *armnetwork.SecurityGroup, name string) (have *armnetwork.SecurityRule, priority int32) {
	taken := map[int32]bool{}
	if nsg.Properties != nil {
		for _, r := range nsg.Properties.SecurityRules {
			if r == nil || r.Properties == nil || azure.Value(r.Properties.Direction) != armnetwork.SecurityRuleDirectionInbound {
				continue
			}
			if strings.EqualFold(azure.Value(r.Name), name) {
				return r, azure.Value(r.Properties.Priority)
			}
			taken[azure.Value(r.Properties.Priority)] = true
		}
	}
	for p := int32(firstPriority); p <= lastPriority; p++ {
		if !taken[p] {
			return nil, p
		}
	}
	return nil, 0
}

func sameRule(r *armnetwork.SecurityRule, sources []string, port int) bool {
	p := r.Properties
	var have []string
	for _, s := range p.SourceAddressPrefixes {
		have = append(have, azure.Value(s))
	}
	if one := azure.Value(p.SourceAddressPrefix); one != "" {
		have = append(have, one)
	}
	return azure.Value(p.Access) == armnetwork.SecurityRuleAccessAllow && azure.Value(p.DestinationPortRange) == fmt.Sprint(port) &&
		slices.Equal(sorted(have), sources)
}

// sorted returns each once, in a stable order.
func sorted(all []string) []string { return slices.Compact(slices.Sorted(slices.Values(all))) }
