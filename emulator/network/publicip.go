package network

import (
	"net/netip"
	"regexp"

	"github.com/azlin-dev/azlin/emulator/arm"
)

func (p *Provider) publicIPs() {
	p.s.Register(&arm.Type{
		Name: PublicIPType, Versions: Versions(), Rank: 30,
		Referrers: func(r *arm.Resource) []string { return p.holders(r) },
		InUse: func(r *arm.Resource) *arm.Error {
			for _, id := range p.holders(r) {
				return arm.BadRequest("PublicIPAddressCannotBeDeleted",
					"Public IP address %s can not be deleted since it is still allocated to resource %s. In order to delete the public IP, disassociate/detach the Public IP address from the resource. To learn how to do this, see aka.ms/deletepublicip.", r.ID, id).Empty()
			}
			return nil
		},
	})
	p.serve(kind{typ: PublicIPType, param: "publicIpAddressName", async: true, build: p.buildPublicIP})
}

// holders is what a public address is allocated to.
func (p *Provider) holders(r *arm.Resource) []string {
	for _, k := range []string{"ipConfiguration", "natGateway"} {
		if id := arm.Str(r.Body, "properties", k, "id"); id != "" {
			return []string{id}
		}
	}
	return nil
}

var dnsLabel = regexp.MustCompile(`^[a-z][a-z0-9-]{1,61}[a-z0-9]$`)

func (p *Provider) buildPublicIP(c *arm.Call, r, old *arm.Resource) error {
	if sku := arm.Str(r.Body, "sku", "name"); sku == "" {
		arm.Put(r.Body, "Basic", "sku", "name")
	} else if !arm.Fold(sku, "Standard") && !arm.Fold(sku, "Basic") && !arm.Fold(sku, "StandardV2") {
		return arm.BadRequest("InvalidRequestFormat", "Cannot parse the request. Error converting value \"%s\" to type PublicIpAddressSkuName.", sku).Empty()
	}
	arm.Default(r.Body, "Regional", "sku", "tier")
	props := r.Props()
	standard := !arm.Fold(arm.Str(r.Body, "sku", "name"), "Basic")
	arm.Default(props, "Dynamic", "publicIPAllocationMethod")
	arm.Default(props, "IPv4", "publicIPAddressVersion")
	arm.Default(props, 4, "idleTimeoutInMinutes")
	arm.Default(props, []any{}, "ipTags")
	if standard {
		arm.Default(props, arm.Object{"protectionMode": "VirtualNetworkInherited"}, "ddosSettings")
	}
	if standard && !arm.Fold(arm.Str(props, "publicIPAllocationMethod"), "Static") {
		return arm.BadRequest("PublicIPAndSkuAllocationMethodMismatch", "Standard sku publicIp %s must have AllocationMethod set to Static.", r.ID).Empty()
	}
	if old != nil {
		if !arm.Fold(arm.Str(old.Body, "sku", "name"), arm.Str(r.Body, "sku", "name")) {
			return arm.BadRequest("SkuCannotBeChangedForPublicIPAddress", "Sku property of public IP address %s can be set only at creation time and cannot be changed once public IP address is created.", r.ID).Empty()
		}
		for _, k := range []string{"ipAddress", "ipConfiguration", "natGateway"} {
			delete(props, k)
			if v := arm.Get(old.Body, "properties", k); v != nil {
				props[k] = v
			}
		}
	} else {
		for _, k := range []string{"ipAddress", "ipConfiguration", "natGateway"} {
			delete(props, k) // read-only
		}
		if e := p.quota(r.Location()); e != nil {
			return e
		}
	}
	if label := arm.Str(props, "dnsSettings", "domainNameLabel"); label != "" {
		if !dnsLabel.MatchString(label) {
			return arm.BadRequest("InvalidDomainNameLabel", "The domain name label %s is invalid. It must conform to the following regular expression: ^[a-z][a-z0-9-]{1,61}[a-z0-9]$.", label).Empty()
		}
		arm.Put(props, label+"."+r.Location()+".cloudapp.azure.com", "dnsSettings", "fqdn")
	}
	if arm.Fold(arm.Str(props, "publicIPAllocationMethod"), "Static") && arm.Str(props, "ipAddress") == "" {
		p.allocate(r)
	}
	return nil
}

// allocate gives a public address.
func (p *Provider) allocate(r *arm.Resource) {
	if a, ok := p.freeAddress(r); ok {
		r.Props()["ipAddress"] = a.String()
	}
}

// freeAddress is one that nobody has, r included.
func (p *Provider) freeAddress(r *arm.Resource) (netip.Addr, bool) {
	used := map[string]bool{arm.Str(r.Hidden, "address"): true}
	for _, o := range p.s.OfType(PublicIPType) {
		used[arm.Str(o.Body, "properties", "ipAddress")] = true
	}
	for _, o := range p.s.OfType(BastionType) {
		used[arm.Str(o.Hidden, "address")], used[arm.Str(o.Hidden, "pod")] = true, true
	}
	return p.pool.Take(used, p.Free)
}

// associate records which IP configuration an address belongs to; "" for none.
func (p *Provider) associate(pip *arm.Resource, config string) {
	if config == "" {
		arm.Drop(pip.Body, "properties", "ipConfiguration")
		if arm.Fold(arm.Str(pip.Body, "properties", "publicIPAllocationMethod"), "Dynamic") {
			arm.Drop(pip.Body, "properties", "ipAddress")
		}
	} else {
		arm.Put(pip.Body, config, "properties", "ipConfiguration", "id")
		if arm.Str(pip.Body, "properties", "ipAddress") == "" {
			p.allocate(pip)
		}
	}
	pip.Retag()
	p.s.Touch(pip)
}
