package network

import (
	"net/netip"
	"strings"

	"github.com/google/uuid"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/network/ipam"
)

func (p *Provider) nics() {
	p.s.Register(&arm.Type{
		Name: NICType, Versions: Versions(), Rank: 20,
		Referrers: func(r *arm.Resource) []string {
			if id := VMOf(r); id != "" {
				return []string{id}
			}
			if id := endpointOf(r); id != "" {
				return []string{id}
			}
			return nil
		},
		InUse: func(r *arm.Resource) *arm.Error {
			if id := VMOf(r); id != "" {
				return arm.BadRequest("NicInUse", "Network Interface %s is used by existing VM %s.", r.ID, id).Empty()
			}
			if id := endpointOf(r); id != "" {
				return arm.BadRequest("NicInUseWithPrivateEndpoint", "Network interface %s cannot be deleted because it is currently in use with an private endpoint (%s).", r.ID, id).Empty()
			}
			if by := arm.Str(r.Hidden, "reservedFor"); by != "" && p.s.Now().Before(ReservedUntil(r)) {
				return Reserved(r, by)
			}
			return nil
		},
		Removed: p.removedNIC,
	})
	p.serve(kind{typ: NICType, param: "networkInterfaceName", build: p.buildNIC, stored: p.storedNIC})
}

// VMOf is the id of the VM that an interface is attached to, or "".
func VMOf(nic *arm.Resource) string { return arm.Str(nic.Body, "properties", "virtualMachine", "id") }

func (p *Provider) buildNIC(c *arm.Call, r, old *arm.Resource) error {
	props := r.Props()
	r.Body["kind"] = "Regular"
	if old != nil && endpointOf(old) != "" {
		return arm.BadRequest("CannotModifyNicAttachedToPrivateEndpoint", "Network interface %s cannot be modified, because it belongs to private endpoint %s.", r.ID, endpointOf(old)).Empty()
	}
	configs := arm.List(props, "ipConfigurations")
	if len(configs) == 0 {
		return arm.BadRequest("NetworkInterfaceMustHaveAtLeastOneIpConfiguration", "Network interface %s must have one or more IP configurations.", r.ID).Empty()
	}
	for _, k := range []string{"virtualMachine", "macAddress", "primary", "hostedWorkloads", "privateEndpoint"} {
		delete(props, k) // read-only: what Azure knows stays
		if old != nil {
			if v := arm.Get(old.Body, "properties", k); v != nil {
				props[k] = v
			}
		}
	}
	if id := arm.Str(props, "networkSecurityGroup", "id"); id != "" {
		nsg := p.s.FindType(NSGType, id)
		if nsg == nil || nsg.Location() != r.Location() {
			return missing(id, r.ID)
		}
		arm.Put(props, nsg.ID, "networkSecurityGroup", "id")
	}
	arm.Default(props, arm.Object{}, "dnsSettings")
	arm.Default(props, []any{}, "dnsSettings", "dnsServers")
	arm.Default(props, []any{}, "dnsSettings", "appliedDnsServers")
	arm.Default(props, "internal.cloudapp.net", "dnsSettings", "internalDomainNameSuffix")
	arm.Default(props, false, "enableAcceleratedNetworking")
	arm.Default(props, false, "enableIPForwarding")
	arm.Default(props, false, "vnetEncryptionSupported")
	arm.Default(props, false, "disableTcpStateTracking")
	arm.Default(props, []any{}, "tapConfigurations")
	arm.Default(props, []any{}, "hostedWorkloads")
	arm.Default(props, "Standard", "nicType")
	arm.Default(props, "None", "auxiliaryMode")
	arm.Default(props, "None", "auxiliarySku")
	r.Retag() // the etags of the configurations are the interface's
	for i, e := range configs {
		o, ok := e.(arm.Object)
		if !ok || arm.Str(o, "name") == "" {
			return arm.BadRequest("InvalidRequestFormat", "Cannot parse the request.").Empty()
		}
		child(r, o, "ipConfigurations", NICType+"/ipConfigurations")
		if len(configs) == 1 || i == 0 {
			arm.Default(o, true, "properties", "primary")
		}
		if err := p.buildConfig(r, old, o); err != nil {
			return err
		}
	}
	return nil
}

func (p *Provider) buildConfig(r, old *arm.Resource, o arm.Object) error {
	props := arm.Map(o, "properties")
	subnetID := arm.Str(props, "subnet", "id")
	subnet, vnet := p.subnet(subnetID)
	if subnet == nil || vnet.Location() != r.Location() {
		return missing(subnetID, r.ID)
	}
	arm.Put(props, arm.Str(subnet, "id"), "subnet", "id")
	arm.Default(props, "IPv4", "privateIPAddressVersion")
	arm.Default(props, "Dynamic", "privateIPAllocationMethod")
	if id := arm.Str(props, "publicIPAddress", "id"); id != "" {
		pip := p.s.FindType(PublicIPType, id)
		if pip == nil || pip.Location() != r.Location() {
			return missing(id, r.ID)
		}
		if h := p.holders(pip); h != nil && !strings.HasPrefix(arm.Key(h[0]), arm.Key(r.ID)+"/") {
			return addressTaken(arm.Str(o, "id"), pip.ID, h[0])
		}
		arm.Put(props, pip.ID, "publicIPAddress", "id")
	}
	return p.privateAddress(r, old, o, subnet)
}

// privateAddress checks a static private address, or gives a dynamic one.
func (p *Provider) privateAddress(r, old *arm.Resource, o, subnet arm.Object) error {
	var had arm.Object
	if old != nil {
		had, _ = find(arm.List(old.Body, "properties", configurations(r.Type)), arm.Str(o, "name"))
	}
	return ipam.Assign(o, had, subnet, p.takenIn(arm.Str(subnet, "id"), r.ID))
}

// storedNIC keeps the back-references of public addresses.
func (p *Provider) storedNIC(r, old *arm.Resource) {
	now := map[string]bool{}
	for _, e := range arm.List(r.Body, "properties", "ipConfigurations") {
		if pip := p.s.FindType(PublicIPType, arm.Str(e, "properties", "publicIPAddress", "id")); pip != nil {
			now[arm.Key(pip.ID)] = true
			if arm.Key(arm.Str(pip.Body, "properties", "ipConfiguration", "id")) != arm.Key(arm.Str(e, "id")) {
				p.associate(pip, arm.Str(e, "id"))
			}
		}
	}
	if old == nil {
		return
	}
	for _, e := range arm.List(old.Body, "properties", "ipConfigurations") {
		if pip := p.s.FindType(PublicIPType, arm.Str(e, "properties", "publicIPAddress", "id")); pip != nil && !now[arm.Key(pip.ID)] {
			p.associate(pip, "")
		}
	}
}

// removedNIC frees the interface's public addresses, and removes those that are to go with it.
func (p *Provider) removedNIC(r *arm.Resource) {
	for _, e := range arm.List(r.Body, "properties", "ipConfigurations") {
		pip := p.s.FindType(PublicIPType, arm.Str(e, "properties", "publicIPAddress", "id"))
		if pip == nil {
			continue
		}
		p.associate(pip, "")
		if arm.Fold(arm.Str(e, "properties", "publicIPAddress", "properties", "deleteOption"), "Delete") ||
			arm.Fold(arm.Str(pip.Body, "properties", "deleteOption"), "Delete") {
			p.s.Remove(pip)
		}
	}
}

// Attach makes an interface a VM's.
func (p *Provider) Attach(nic *arm.Resource, vm string, primary bool) {
	arm.Put(nic.Body, vm, "properties", "virtualMachine", "id")
	nic.Props()["primary"] = primary
	if arm.Str(nic.Body, "properties", "macAddress") == "" {
		id := uuid.New()
		const hex = "0123456789ABCDEF"
		var mac strings.Builder
		mac.WriteString("00-0D-3A")
		for _, b := range id[:3] {
			mac.WriteString("-" + string([]byte{hex[b>>4], hex[b&15]}))
		}
		nic.Props()["macAddress"] = mac.String()
	}
	delete(nic.Hidden, "reservedFor")
	nic.Retag()
	p.s.Touch(nic)
}

// Detach takes an interface from its VM.
func (p *Provider) Detach(nic *arm.Resource) {
	for _, k := range []string{"virtualMachine", "macAddress", "primary"} {
		arm.Drop(nic.Body, "properties", k)
	}
	nic.Retag()
	p.s.Touch(nic)
}

// Addresses are the public addresses of an interface.
func (p *Provider) Addresses(nicID string) []netip.Addr {
	nic := p.s.FindType(NICType, nicID)
	if nic == nil {
		return nil
	}
	var l []netip.Addr
	for _, e := range arm.List(nic.Body, "properties", "ipConfigurations") {
		if pip := p.s.FindType(PublicIPType, arm.Str(e, "properties", "publicIPAddress", "id")); pip != nil {
			if a, err := netip.ParseAddr(arm.Str(pip.Body, "properties", "ipAddress")); err == nil {
				l = append(l, a)
			}
		}
	}
	return l
}
