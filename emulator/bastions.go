package emulator

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
	"github.com/azlin-dev/azlin/emulator/bastion"
	"github.com/azlin-dev/azlin/emulator/network"
	"github.com/azlin-dev/azlin/emulator/network/reachability"
)

// bastionPlace is where the data plane of Bastions stands: between Azure Resource Manager, which knows who is
// reached from where, and the hosts.
type bastionPlace struct{ *Emulator }

// At finds the Bastion at the host part of a URL.
func (p bastionPlace) At(host string) (found network.Bastion, entry, ok bool) {
	a, valid := hostAddress(host)
	if !valid {
		return found, false, false
	}
	p.arm.Do(func() {
		for _, b := range p.net.Bastions() {
			developer := b.SKU == network.DeveloperSKU
			if b.Address == a || b.Pod == a {
				found, entry, ok = b, developer && b.Address == a, true
			}
		}
	})
	return found, entry, ok
}

func hostAddress(host string) (netip.Addr, bool) {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	a, err := netip.ParseAddr(host)
	return a, err == nil
}

// Pod is the host that carries a Developer Bastion's connections.
func (p bastionPlace) Pod(b network.Bastion) string { return p.net.BastionName(b.Pod) }

// Refused judges what Bastion knows before it tries to connect.
func (p bastionPlace) Refused(aztoken string, b network.Bastion, t bastion.Target) *bastion.Refusal {
	no := func(status int, format string, args ...any) *bastion.Refusal {
		return &bastion.Refusal{Status: status, Message: fmt.Sprintf(format, args...)}
	}
	authorization := "Bearer " + aztoken
	if err := p.entra.Verify(authorization, p.endpoint); err != nil {
		return no(http.StatusUnauthorized, "Authentication failed. %v", err)
	}
	switch {
	case !p.access.May(authorization, "Microsoft.Network/bastionHosts/read", b.ID):
		return no(http.StatusForbidden, "The caller may not read Bastion Host %s.", b.ID)
	case b.SKU == network.BasicSKU:
		return no(http.StatusForbidden, "Native client support requires the Standard SKU or higher.")
	case !b.Tunneling:
		return no(http.StatusForbidden, "Native client support is not enabled on this Bastion Host.")
	case t.Port != sshPort && t.Port != rdpPort && (b.SKU == network.DeveloperSKU || t.Address != ""):
		return no(http.StatusBadRequest, "Custom ports are not supported here; use 22 or 3389.")
	case t.Address != "" && !b.IPConnect:
		return no(http.StatusForbidden, "IP based connection is not enabled on this Bastion Host.")
	}
	vm, nics, refusal := p.target(b, t)
	if refusal != nil {
		return refusal
	}
	if vm == "" {
		return nil // an address with nothing behind it: seen when it is connected to
	}
	needs := []string{"Microsoft.Compute/virtualMachines/read", vm}
	for _, nic := range nics {
		needs = append(needs, "Microsoft.Network/networkInterfaces/read", nic)
	}
	for i := 0; i < len(needs); i += 2 {
		if !p.access.May(authorization, needs[i], needs[i+1]) {
			return no(http.StatusForbidden, "The caller is not authorized to perform %s over %s.", needs[i], needs[i+1])
		}
	}
	return nil
}

const (
	sshPort = 22
	rdpPort = 3389
)

// target finds the VM of a target among those that a Bastion reaches.
func (p bastionPlace) target(b network.Bastion, t bastion.Target) (vm string, nics []string, no *bastion.Refusal) {
	p.arm.Do(func() {
		if t.Address != "" {
			a, err := netip.ParseAddr(t.Address)
			if err != nil || !strings.HasSuffix(resourceid.Key(t.Resource), "/providers/microsoft.network/bh-hostconnect/"+strings.ToLower(t.Address)) {
				no = &bastion.Refusal{Status: http.StatusBadRequest, Message: "The address '" + t.Address + "' is not valid."}
				return
			}
			if nic := reachability.WithAddress(p.arm, b, a); nic != "" {
				nics = []string{nic}
				vm = network.VMOf(p.arm.Find(nic))
			}
			return
		}
		all, _, ok := p.compute.Inside(t.Resource)
		if !ok {
			no = &bastion.Refusal{Status: http.StatusNotFound, Message: "The resource '" + t.Resource + "' was not found."}
			return
		}
		for _, nic := range all {
			if reachability.Reaches(p.arm, b, nic) {
				nics = append(nics, nic)
			}
		}
		if nics == nil {
			no = &bastion.Refusal{Status: http.StatusForbidden, Message: "The resource '" + t.Resource + "' is not in a virtual network that this Bastion Host reaches."}
			return
		}
		vm = t.Resource
	})
	return vm, nics, no
}

// Dial connects to a VM's SSH server, as a connection from the Bastion's subnet. There is nothing else to connect to
// on emulated VMs, whose other ports are those of the machine that the emulator runs on.
func (p bastionPlace) Dial(ctx context.Context, b network.Bastion, t bastion.Target) (net.Conn, error) {
	vm, nics, no := p.target(b, t)
	switch {
	case no != nil:
		return nil, fmt.Errorf("reach %s: %s", t.Resource, no.Message)
	case vm == "":
		return nil, fmt.Errorf("reach %s: nothing has this address", t.Address)
	case p.hosts == nil:
		return nil, fmt.Errorf("reach %s: VMs do not boot here", vm)
	case t.Port != sshPort:
		return nil, fmt.Errorf("reach %s: nothing listens at port %d", vm, t.Port)
	}
	running, admitted := false, false
	var at netip.Addr
	p.arm.Do(func() {
		_, running, _ = p.compute.Inside(vm)
		for _, nic := range nics {
			if a, ok := reachability.AdmittedInside(p.arm, nic, b.Source, t.Port); ok && !admitted {
				at, admitted = a, true
			}
		}
	})
	switch {
	case !running:
		return nil, fmt.Errorf("reach %s: it does not run", vm)
	case !admitted:
		return nil, fmt.Errorf("reach %s: its security group does not admit %s", vm, b.Source)
	}
	p.bastionPorts.Add(1)
	port := uint16(49152 + p.bastionPorts.Load()%16384)
	return p.hosts.Rt.Dial(ctx, resourceid.Key(vm), netip.AddrPortFrom(b.Source, port), netip.AddrPortFrom(at, sshPort))
}

// isBastion reports whether a host is one of those that Bastions answer at.
func isBastion(host string) bool {
	a, ok := hostAddress(host)
	return ok && bastionRange.Contains(a)
}
