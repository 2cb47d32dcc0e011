package network

import (
	"net/netip"
	"strings"

	"github.com/google/uuid"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
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
			if by := azjson.Str(r.Hidden, "reservedFor"); by != "" && p.s.Now().Before(ReservedUntil(r)) {
				return Reserved(r, by)
			}
			return nil
		},
		Removed: p.removedNIC,
	})
	p.serve(kind{typ: NICType, param: "networkInterfaceName", build: p.buildNIC, stored: p.storedNIC})
}

// VMOf is the id of the VM that an interface is attached to, or "".
func VMOf(nic *arm.Resource) string {
	return azjson.Str(nic.Body, "properties", "virtualMachine", "id")
}

func (p *Provider) buildNIC(c *arm.Call, r, old *arm.Resource) error {
	props := r.Props()
	r.Body["kind"] = "Regular"
	if old != nil && endpointOf(old) != "" {
		return arm.BadRequest("CannotModifyNicAttachedToPrivateEndpoint", "Network interface %s cannot be modified, because it belongs to private endpoint %s.", r.ID, endpointOf(old)).Empty()
	}
	configs := azjson.List(props, "ipConfigurations")
	if len(configs) == 0 {
		return arm.BadRequest("NetworkInterfaceMustHaveAtLeastOneIpConfiguration", "Network interface %s must have one or more IP configurations.", r.ID).Empty()
	}
	for _, k := range []string{"virtualMachine", "macAddress", "primary", "hostedWorkloads", "privateEndpoint"} {
		delete(props, k) // read-only: what Azure knows stays
		if old != nil {
			if v := azjson.Get(old.Body, "properties", k); v != nil {
				props[k] = v
			}
		}
	}
	if id := azjson.Str(props, "networkSecurityGroup", "id"); id != "" {
		nsg := p.s.FindType(NSGType, id)
		if nsg == nil || nsg.Location() != r.Location() {
			return missing(id, r.ID)
		}
		azjson.Put(props, nsg.ID, "networkSecurityGroup", "id")
	}
	azjson.Default(props, azjson.Object{}, "dnsSettings")
	azjson.Default(props, []any{}, "dnsSettings", "dnsServers")
	azjson.Default(props, []any{}, "dnsSettings", "appliedDnsServers")
	azjson.Default(props, "internal.cloudapp.net", "dnsSettings", "internalDomainNameSuffix")
	azjson.Default(props, false, "enableAcceleratedNetworking")
	azjson.Default(props, false, "enableIPForwarding")
	azjson.Default(props, false, "vnetEncryptionSupported")
	azjson.Default(props, false, "disableTcpStateTracking")
	azjson.Default(props, []any{}, "tapConfigurations")
	azjson.Default(props, []any{}, "hostedWorkloads")
	azjson.Default(props, "Standard", "nicType")
	azjson.Default(props, "None", "auxiliaryMode")
	azjson.Default(props, "None", "auxiliarySku")
	r.Retag() // the etags of the configurations are the interface's
	for i, e := range configs {
		o, ok := e.(azjson.Object)
		if !ok || azjson.Str(o, "name") == "" {
			return arm.BadRequest("InvalidRequestFormat", "Cannot parse the request.").Empty()
		}
		child(r, o, "ipConfigurations", NICType+"/ipConfigurations")
		if len(configs) == 1 || i == 0 {
			azjson.Default(o, true, "properties", "primary")
		}
		if err := p.buildConfig(r, old, o); err != nil {
			return err
		}
	}
	return nil
}

func (p *Provider) buildConfig(r, old *arm.Resource, o azjson.Object) error {
	props := azjson.Map(o, "properties")
	subnetID := azjson.Str(props, "subnet", "id")
	subnet, vnet := p.subnet(subnetID)
	if subnet == nil || vnet.Location() != r.Location() {
		return missing(subnetID, r.ID)
	}
	azjson.Put(props, azjson.Str(subnet, "id"), "subnet", "id")
	azjson.Default(props, "IPv4", "privateIPAddressVersion")
	azjson.Default(props, "Dynamic", "privateIPAllocationMethod")
	if id := azjson.Str(props, "publicIPAddress", "id"); id != "" {
		pip := p.s.FindType(PublicIPType, id)
		if pip == nil || pip.Location() != r.Location() {
			return missing(id, r.ID)
		}
		if h := p.holders(pip); h != nil && !strings.HasPrefix(resourceid.Key(h[0]), resourceid.Key(r.ID)+"/") {
			return addressTaken(azjson.Str(o, "id"), pip.ID, h[0])
		}
		azjson.Put(props, pip.ID, "publicIPAddress", "id")
	}
	return p.privateAddress(r, old, o, subnet)
}

// privateAddress checks a static private address, or gives a dynamic one.
func (p *Provider) privateAddress(r, old *arm.Resource, o, subnet azjson.Object) error {
	var had azjson.Object
	if old != nil {
		had, _ = find(azjson.List(old.Body, "properties", configurations(r.Type)), azjson.Str(o, "name"))
	}
	return ipam.Assign(o, had, subnet, p.takenIn(azjson.Str(subnet, "id"), r.ID))
}

// storedNIC keeps the back-references of public addresses.
func (p *Provider) storedNIC(r, old *arm.Resource) {
	now := map[string]bool{}
	for _, e := range azjson.List(r.Body, "properties", "ipConfigurations") {
		if pip := p.s.FindType(PublicIPType, azjson.Str(e, "properties", "publicIPAddress", "id")); pip != nil {
			now[resourceid.Key(pip.ID)] = true
			if resourceid.Key(azjson.Str(pip.Body, "properties", "ipConfiguration", "id")) != resourceid.Key(azjson.Str(e, "id")) {
				p.associate(pip, azjson.Str(e, "id"))
			}
		}
	}
	if old == nil {
		return
	}
	for _, e := range azjson.List(old.Body, "properties", "ipConfigurations") {
		if pip := p.s.FindType(PublicIPType, azjson.Str(e, "properties", "publicIPAddress", "id")); pip != nil && !now[resourceid.Key(pip.ID)] {
			p.associate(pip, "")
		}
	}
}

// removedNIC frees the interface's public addresses, and removes those that are to go with it.
func (p *Provider) removedNIC(r *arm.Resource) {
	for _, e := range azjson.List(r.Body, "properties", "ipConfigurations") {
		pip := p.s.FindType(PublicIPType, azjson.Str(e, "properties", "publicIPAddress", "id"))
		if pip == nil {
			continue
		}
		p.associate(pip, "")
		if azjson.Fold(azjson.Str(e, "properties", "publicIPAddress", "properties", "deleteOption"), "Delete") ||
			azjson.Fold(azjson.Str(pip.Body, "properties", "deleteOption"), "Delete") {
			p.s.Remove(pip)
		}
	}
}

// Attach makes an interface a VM's.
func (p *Provider) Attach(nic *arm.Resource, vm string, primary bool) {
	azjson.Put(nic.Body, vm, "properties", "virtualMachine", "id")
	nic.Props()["primary"] = primary
	if azjson.Str(nic.Body, "properties", "macAddress") == "" {
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
		azjson.Drop(nic.Body, "properties", k)
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
	for _, e := range azjson.List(nic.Body, "properties", "ipConfigurations") {
		if pip := p.s.FindType(PublicIPType, azjson.Str(e, "properties", "publicIPAddress", "id")); pip != nil {
			if a, err := netip.ParseAddr(azjson.Str(pip.Body, "properties", "ipAddress")); err == nil {
				l = append(l, a)
			}
		}
	}
	return l
}
