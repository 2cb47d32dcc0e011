package network_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/network"
)

// rules reads the rules of a security group as "name priority source:port", by raw JSON.
func rules(t *testing.T, c *azure.Client, nsg string) []string {
	t.Helper()
	resp, err := c.Do(t.Context(), http.MethodGet, nsg, "2025-05-01", nil)
	if err != nil {
		t.Fatal(err)
	}
	var body struct {
		Properties struct {
			SecurityRules []struct {
				Name       string
				Properties struct {
					Priority                                  int
					Direction, Access, Protocol               string
					SourceAddressPrefixes                     []string
					SourceAddressPrefix, DestinationPortRange string
				}
			}
		}
	}
	if err := json.Unmarshal(resp.Body, &body); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range body.Properties.SecurityRules {
		p := r.Properties
		if p.Direction != "Inbound" || p.Access != "Allow" || p.Protocol != "Tcp" {
			t.Errorf("rule %s: %+v", r.Name, p)
		}
		sources := p.SourceAddressPrefixes
		if p.SourceAddressPrefix != "" {
			sources = append(sources, p.SourceAddressPrefix)
		}
		out = append(out, fmt.Sprintf("%s %d %s:%s", r.Name, p.Priority, strings.Join(sources, ","), p.DestinationPortRange))
	}
	slices.Sort(out)
	return out
}

func prefixes(list ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

func TestAllowSSH(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		s, c := l.nets, l.c
		_, nsg := l.launch(2222)
		ann, bob := network.SSHRuleName("ann"), network.SSHRuleName("bob")
		if diff := cmp.Diff([]string{ann + " 1000 203.0.113.10/32:2222"}, rules(t, c, nsg)); diff != "" {
			t.Fatal(diff)
		}
		puts := l.Emulator.Counts().Requests["PUT"]
		same := network.SSHAccess{Rule: ann, Sources: prefixes("203.0.113.10/32"), Port: 2222}
		if err := s.AllowSSH(t.Context(), nsg, same); err != nil || l.Emulator.Counts().Requests["PUT"] != puts {
			t.Errorf("what was right was written again: %v", err)
		}
		for _, a := range []network.SSHAccess{
			{Rule: ann, Sources: prefixes("198.51.100.7/32", "2001:db8::7/128")}, // moved, and the port is 22 again
			{Rule: bob, Sources: prefixes("192.0.2.77/24")},
		} {
			if err := s.AllowSSH(t.Context(), nsg, a); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{ann + " 1000 198.51.100.7/32:22", ann + "-v6 1001 2001:db8::7/128:22", bob + " 1002 192.0.2.0/24:22"}
		slices.Sort(want)
		if diff := cmp.Diff(want, rules(t, c, nsg)); diff != "" {
			t.Error(diff)
		}
		if err := s.AllowSSH(t.Context(), "/subscriptions/x", same); err == nil {
			t.Error("a subscription was taken for a security group")
		}
		absent := strings.Replace(nsg, "dev-nsg", "none", 1)
		if err := s.AllowSSH(t.Context(), absent, same); errkind.Of(err) != errkind.NotFound {
			t.Errorf("absent: %v", err)
		}
	})
}

// TestAllowSSHAtOnce: operators who choose the same free priority at the same time all get in.
func TestAllowSSHAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		s, c := l.nets, l.c
		_, nsg := l.launch(22)
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() {
				a := network.SSHAccess{Rule: network.SSHRuleName(fmt.Sprint("operator ", i)), Sources: prefixes(fmt.Sprintf("192.0.2.%d/32", i))}
				if err := s.AllowSSH(t.Context(), nsg, a); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := rules(t, c, nsg); len(got) != 4 {
			t.Errorf("rules: %q", got)
		}
	})
}
