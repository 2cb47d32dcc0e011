package vm

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/network"
)

// Get reads one VM with its power state and addresses (three requests). An absent VM is NotFound.
func (s *Service) Get(ctx context.Context, ref Ref) (Info, error) {
	i, err := s.Peek(ctx, ref)
	if err != nil {
		return Info{}, errkind.Classed(ErrManager, err)
	}
	if err := s.ReadAddresses(ctx, &i); err != nil {
		return Info{}, errkind.Classed(ErrManager, err)
	}
	if i.SessionName == "" {
		i.SessionName = s.sessions[i.Name]
	}
	return i, nil
}

// Peek reads a VM with its power state, without addresses (one request).
func (s *Service) Peek(ctx context.Context, ref Ref) (Info, error) {
	ref, err := s.full(ref)
	if err != nil {
		return Info{PowerState: UnknownState}, err
	}
	resp, err := s.azure.VMs().Get(ctx, ref.ResourceGroup, ref.Name, &armcompute.VirtualMachinesClientGetOptions{
		Expand: to.Ptr(armcompute.InstanceViewTypesInstanceView),
	})
	if err != nil {
		return Info{PowerState: UnknownState}, azure.Wrap("get vm", ref.Name, err)
	}
	return FromModel(&resp.VirtualMachine), nil
}

// ReadAddresses fills in the addresses of one VM. If a NIC or address is deleted meanwhile, they stay unknown.
func (s *Service) ReadAddresses(ctx context.Context, i *Info) error {
	a := Addresses{Nics: map[string]*armnetwork.Interface{}, Ips: map[string]*armnetwork.PublicIPAddress{}}
	for _, nicID := range i.NICs {
		nic, err := s.network.NIC(ctx, nicID)
		if err != nil {
			return err
		}
		if nic == nil {
			continue
		}
		a.Nics[azure.IDKey(nicID)] = nic
		for _, cfg := range network.IPConfigurations(nic) {
			if cfg.Properties.PublicIPAddress == nil {
				continue
			}
			ipID := azure.Value(cfg.Properties.PublicIPAddress.ID)
			ip, err := s.network.Address(ctx, ipID)
			if err != nil {
				return err
			}
			if ip != nil {
				a.Ips[azure.IDKey(ipID)] = ip
			}
		}
	}
	a.Fill(i)
	return nil
}

// Match is the VM that a name refers to.
type Match struct {
	VM          Info   `json:"vm"`
	By          string `json:"by"`                     // "name", "session" or "address"
	TmuxSession string `json:"tmux_session,omitempty"` // the part after the colon of vm:session
}

// Resolve finds the VM that name refers to: the exact name of a VM, else a session name, else vm:session for a tmux session,
// else an IP address. group limits the search; empty is the whole subscription. VMs that azlin does not manage are found
// too. No match is NotFound; several are a Conflict that lists them. It never matches a prefix of a name.
func (s *Service) Resolve(ctx context.Context, name, group string) (Match, error) {
	l, err := s.List(ctx, ListOptions{ResourceGroup: group, All: true})
	if err != nil {
		return Match{}, err
	}
	m, err := ResolveIn(l.VMs, name)
	return m, errkind.Classed(ErrManager, err)
}

// ResolveIn is Resolve among VMs that are already listed.
func ResolveIn(vms []Info, name string) (Match, error) {
	if name == "" { // otherwise it would match every VM without a session
		return Match{}, noMatch(name)
	}
	m, found, err := resolveExact(vms, name)
	if found || err != nil {
		return m, err
	}
	if left, tmux, ok := cutTmux(name); ok {
		m, found, err := resolveExact(vms, left)
		if found || err != nil {
			m.TmuxSession = tmux
			return m, err
		}
	}
	if addr, perr := netip.ParseAddr(name); perr == nil {
		m, found, err := choose(vms, name, "address", func(i Info) bool {
			return sameAddr(i.PublicIP, addr) || sameAddr(i.PrivateIP, addr)
		})
		if found || err != nil {
			return m, err
		}
	}
	return Match{}, noMatch(name)
}

func noMatch(name string) error {
	return &errkind.Error{
		Kind: errkind.NotFound, Op: "find vm", Resource: name,
		Err: errkind.New(errkind.NotFound, "no VM has this name, session or address"),
	}
}

func resolveExact(vms []Info, name string) (Match, bool, error) {
	m, found, err := choose(vms, name, "name", func(i Info) bool { return strings.EqualFold(i.Name, name) })
	if found || err != nil {
		return m, found, err
	}
	return choose(vms, name, "session", func(i Info) bool { return i.SessionName == name })
}

// cutTmux splits vm:session. It does not split an IPv6 address.
func cutTmux(name string) (vm, session string, ok bool) {
	if _, err := netip.ParseAddr(name); err == nil {
		return "", "", false
	}
	vm, session, ok = strings.Cut(name, ":")
	return vm, session, ok && vm != "" && session != ""
}

func sameAddr(s string, addr netip.Addr) bool {
	have, err := netip.ParseAddr(s)
	return err == nil && have == addr.Unmap()
}

func choose(vms []Info, name, by string, is func(Info) bool) (Match, bool, error) {
	var hits []Info
	for _, i := range vms {
		if is(i) {
			hits = append(hits, i)
		}
	}
	switch len(hits) {
	case 0:
		return Match{}, false, nil
	case 1:
		return Match{VM: hits[0], By: by}, true, nil
	}
	var where []string
	for _, i := range hits {
		where = append(where, i.ResourceGroup+"/"+i.Name)
	}
	slices.Sort(where)
	return Match{}, false, &errkind.Error{
		Kind: errkind.Conflict, Op: "find vm", Resource: name,
		Err: errkind.New(errkind.Conflict, "several VMs match: %s", strings.Join(where, ", ")),
	}
}
