package network

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/azure"
)

// Anybody is the source of a rule that admits everyone.
const Anybody = "any"

// SSHSources returns the addresses, ranges and service tags from which the security groups of a VM's network interfaces and
// of their subnets admit SSH (the requests of SSHAdmission), in the order of the rules; Anybody for everyone. It includes
// only what all groups admit. Rules for the virtual network itself and for load balancers are ignored. port 0 is 22.
func (s *Service) SSHSources(ctx context.Context, nics []string, port int) ([]string, error) {
	admitted := []string{Anybody}
	for _, nicID := range nics {
		nic, err := s.NIC(ctx, nicID)
		if err != nil {
			return nil, err
		}
		if nic == nil || nic.Properties == nil {
			continue
		}
		groups, err := s.groupsBefore(ctx, nic)
		if err != nil {
			return nil, err
		}
		for _, id := range groups {
			rules, err := s.rules(ctx, id)
			if err != nil {
				return nil, err
			}
			admitted = common(admitted, sourcesOf(rules, cmp.Or(port, 22)))
		}
		break // the first one has the public address
	}
	return admitted, nil
}

// rules returns the inbound rules of a security group in order of priority.
func (s *Service) rules(ctx context.Context, nsgID string) ([]*armnetwork.SecurityRulePropertiesFormat, error) {
	id, err := azure.ParseID(nsgID)
	if err != nil {
		return nil, err
	}
	found, err := s.azure.NSGs().Get(ctx, id.ResourceGroup, id.Name(), nil)
	if err != nil {
		return nil, azure.Wrap("get network security group", id.Name(), err)
	}
	var rules []*armnetwork.SecurityRulePropertiesFormat
	if found.Properties == nil {
		return nil, nil
	}
	for _, r := range slices.Concat(found.Properties.SecurityRules, found.Properties.DefaultSecurityRules) {
		if r != nil && r.Properties != nil && azure.Value(r.Properties.Direction) == armnetwork.SecurityRuleDirectionInbound {
			rules = append(rules, r.Properties)
		}
	}
	slices.SortStableFunc(rules, func(x, y *armnetwork.SecurityRulePropertiesFormat) int {
		return cmp.Compare(azure.Value(x.Priority), azure.Value(y.Priority))
	})
	return rules, nil
}

// sourcesOf returns the sources that rules admit to a port, up to the first rule that refuses everyone.
func sourcesOf(rules []*armnetwork.SecurityRulePropertiesFormat, port int) []string {
	admitted, refused := []string{}, []string{}
	for _, p := range rules {
		protocol := string(azure.Value(p.Protocol))
		if protocol != "*" && !strings.EqualFold(protocol, "Tcp") ||
			!slices.ContainsFunc(both(p.DestinationPortRange, p.DestinationPortRanges), func(r string) bool { return portIn(r, port) }) {
			continue
		}
		allow := azure.Value(p.Access) == armnetwork.SecurityRuleAccessAllow
		for _, source := range both(p.SourceAddressPrefix, p.SourceAddressPrefixes) {
			source = plainSource(source)
			switch {
			case strings.EqualFold(source, "VirtualNetwork"), strings.EqualFold(source, "AzureLoadBalancer"), within(source, refused), within(source, admitted):
			case !allow:
				refused = append(refused, source)
			default:
				admitted = append(admitted, source)
			}
		}
	}
	return admitted
}

func plainSource(source string) string {
	switch {
	case source == "*", strings.EqualFold(source, "Internet"), strings.EqualFold(source, "Any"), source == "0.0.0.0/0", source == "::/0":
		return Anybody
	}
	return source
}

// common is the intersection of both lists; of two overlapping sources, the narrower one.
func common(a, b []string) []string {
	both := []string{}
	for _, one := range a {
		if within(one, b) {
			both = append(both, one)
		}
	}
	for _, one := range b {
		if within(one, a) && !slices.Contains(both, one) {
			both = append(both, one)
		}
	}
	return both
}

// within reports whether a source is one of others, or part of one.
func within(source string, others []string) bool {
	inner, err := netip.ParsePrefix(source)
	if err != nil {
		if addr, aerr := netip.ParseAddr(source); aerr == nil {
			inner, err = addr.Prefix(addr.BitLen())
		}
	}
	for _, o := range others {
		if o == Anybody || strings.EqualFold(o, source) {
			return true
		}
		outer, oerr := netip.ParsePrefix(o)
		if err == nil && oerr == nil && outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr()) {
			return true
		}
	}
	return false
}
