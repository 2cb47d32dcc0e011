package network

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/azure"
)

// SSHAdmission reports whether the network security groups of a VM admit somebody to its SSH server.
type SSHAdmission struct {
	Admitted bool
	NSG      string // id of the group that refuses; the network interface's when both do
	Rule     string // name of the refusing rule; Azure's DenyAllInBound when no rule admits
	// Writable: azlin created the group, or it contains an operator's rule of azlin's, so AllowSSH may be used.
	Writable bool
}

// SSHAdmission evaluates the security groups of a VM's network interfaces (nics, their ids) and of their subnets
// (networkInterfaces/get, networkSecurityGroups/get, virtualNetworks/get), for a source on the Internet. port 0 is 22. A VM
// without security groups admits everyone. Service tags other than Internet do not match the source.
func (s *Service) SSHAdmission(ctx context.Context, nics []string, source netip.Addr, port int) (SSHAdmission, error) {
	for _, nicID := range nics {
		nic, err := s.NIC(ctx, nicID)
		if err != nil {
			return SSHAdmission{}, err
		}
		if nic == nil || nic.Properties == nil {
			continue
		}
		groups, err := s.groupsBefore(ctx, nic)
		if err != nil {
			return SSHAdmission{}, err
		}
		for _, id := range groups {
			a, err := s.admission(ctx, id, source, cmp.Or(port, 22))
			if err != nil || !a.Admitted {
				return a, err
			}
		}
		break // the first one has the public address
	}
	return SSHAdmission{Admitted: true}, nil
}

// groupsBefore returns the ids of the security groups that filter packets to a network interface.
func (s *Service) groupsBefore(ctx context.Context, nic *armnetwork.Interface) ([]string, error) {
	var ids []string
	if g := nic.Properties.NetworkSecurityGroup; g != nil {
		ids = append(ids, azure.Value(g.ID))
	}
	for _, c := range IPConfigurations(nic) {
		if c.Properties.Subnet == nil {
			continue
		}
		id, err := azure.ParseID(azure.Value(c.Properties.Subnet.ID))
		if err != nil {
			return nil, err
		}
		found, err := s.azure.VNets().Get(ctx, id.ResourceGroup, id.Parent().Name(), nil)
		if err != nil {
			return nil, azure.Wrap("get virtual network", id.Parent().Name(), err)
		}
		if found.Properties == nil {
			continue
		}
		for _, sub := range found.Properties.Subnets {
			if sub != nil && azure.SameID(azure.Value(sub.ID), id.String()) && sub.Properties != nil && sub.Properties.NetworkSecurityGroup != nil {
				ids = append(ids, azure.Value(sub.Properties.NetworkSecurityGroup.ID))
			}
		}
		break
	}
	return ids, nil
}

func (s *Service) admission(ctx context.Context, nsgID string, source netip.Addr, port int) (SSHAdmission, error) {
	id, err := azure.ParseID(nsgID)
	if err != nil {
		return SSHAdmission{}, err
	}
	found, err := s.azure.NSGs().Get(ctx, id.ResourceGroup, id.Name(), nil)
	if err != nil {
		return SSHAdmission{}, azure.Wrap("get network security group", id.Name(), err)
	}
	a := SSHAdmission{NSG: nsgID, Rule: "DenyAllInBound", Writable: azure.Managed(azure.Tags(found.Tags))}
	if found.Properties == nil {
		return a, nil
	}
	var rules []*armnetwork.SecurityRule
	for _, r := range slices.Concat(found.Properties.SecurityRules, found.Properties.DefaultSecurityRules) {
		if r == nil || r.Properties == nil {
			continue
		}
		a.Writable = a.Writable || strings.HasPrefix(strings.ToLower(azure.Value(r.Name)), SSHRulePrefix)
		rules = append(rules, r)
	}
	slices.SortStableFunc(rules, func(x, y *armnetwork.SecurityRule) int {
		return cmp.Compare(azure.Value(x.Properties.Priority), azure.Value(y.Properties.Priority))
	})
	for _, r := range rules {
		if ruleMatches(r.Properties, source, port) {
			a.Rule, a.Admitted = azure.Value(r.Name), azure.Value(r.Properties.Access) == armnetwork.SecurityRuleAccessAllow
			break
		}
	}
	return a, nil
}

// ruleMatches reports whether a rule applies to TCP packets from a source on the Internet to a port of the VM.
func ruleMatches(p *armnetwork.SecurityRulePropertiesFormat, source netip.Addr, port int) bool {
	protocol := string(azure.Value(p.Protocol))
	return azure.Value(p.Direction) == armnetwork.SecurityRuleDirectionInbound && (protocol == "*" || strings.EqualFold(protocol, "Tcp")) &&
		slices.ContainsFunc(both(p.DestinationPortRange, p.DestinationPortRanges), func(r string) bool { return portIn(r, port) }) &&
		slices.ContainsFunc(both(p.SourceAddressPrefix, p.SourceAddressPrefixes), func(r string) bool { return sourceIn(r, source) })
}

// both joins the values of a property that Azure has in singular and plural form.
func both(one *string, many []*string) []string {
	var all []string
	if v := azure.Value(one); v != "" {
		all = append(all, v)
	}
	for _, v := range many {
		all = append(all, azure.Value(v))
	}
	return all
}

func portIn(r string, port int) bool {
	if r == "*" {
		return true
	}
	first, last, ok := strings.Cut(r, "-")
	if !ok {
		last = first
	}
	from, err1 := strconv.Atoi(strings.TrimSpace(first))
	to, err2 := strconv.Atoi(strings.TrimSpace(last))
	return err1 == nil && err2 == nil && from <= port && port <= to
}

func sourceIn(r string, source netip.Addr) bool {
	if r == "*" || strings.EqualFold(r, "Internet") || strings.EqualFold(r, "Any") {
		return true
	}
	if addr, err := netip.ParseAddr(r); err == nil {
		return addr == source
	}
	prefix, err := netip.ParsePrefix(r)
	return err == nil && prefix.Contains(source)
}
