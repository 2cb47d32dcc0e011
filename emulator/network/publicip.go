package network

import (
	"net/netip"
	"regexp"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
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
		if id := azjson.Str(r.Body, "properties", k, "id"); id != "" {
			return []string{id}
		}
	}
	return nil
}

var dnsLabel = regexp.MustCompile(`^[a-z][a-z0-9-]{1,61}[a-z0-9]$`)

func (p *Provider) buildPublicIP(c *arm.Call, r, old *arm.Resource) error {
	if sku := azjson.Str(r.Body, "sku", "name"); sku == "" {
		azjson.Put(r.Body, "Basic", "sku", "name")
	} else if !azjson.Fold(sku, "Standard") && !azjson.Fold(sku, "Basic") && !azjson.Fold(sku, "StandardV2") {
		return unreadable(sku, "PublicIpAddressSkuName")
	}
	azjson.Default(r.Body, "Regional", "sku", "tier")
	props := r.Props()
	standard := !azjson.Fold(azjson.Str(r.Body, "sku", "name"), "Basic")
	azjson.Default(props, "Dynamic", "publicIPAllocationMethod")
	azjson.Default(props, "IPv4", "publicIPAddressVersion")
	azjson.Default(props, 4, "idleTimeoutInMinutes")
	azjson.Default(props, []any{}, "ipTags")
	if standard {
		azjson.Default(props, azjson.Object{"protectionMode": "VirtualNetworkInherited"}, "ddosSettings")
	}
	if standard && !azjson.Fold(azjson.Str(props, "publicIPAllocationMethod"), "Static") {
		return arm.BadRequest("PublicIPAndSkuAllocationMethodMismatch", "Standard sku publicIp %s must have AllocationMethod set to Static.", r.ID).Empty()
	}
	if old != nil {
		if !azjson.Fold(azjson.Str(old.Body, "sku", "name"), azjson.Str(r.Body, "sku", "name")) {
			return arm.BadRequest("SkuCannotBeChangedForPublicIPAddress", "Sku property of public IP address %s can be set only at creation time and cannot be changed once public IP address is created.", r.ID).Empty()
		}
		for _, k := range []string{"ipAddress", "ipConfiguration", "natGateway"} {
			delete(props, k)
			if v := azjson.Get(old.Body, "properties", k); v != nil {
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
	if label := azjson.Str(props, "dnsSettings", "domainNameLabel"); label != "" {
		if !dnsLabel.MatchString(label) {
			return arm.BadRequest("InvalidDomainNameLabel", "The domain name label %s is invalid. It must conform to the following regular expression: ^[a-z][a-z0-9-]{1,61}[a-z0-9]$.", label).Empty()
		}
		azjson.Put(props, label+"."+r.Location()+".cloudapp.azure.com", "dnsSettings", "fqdn")
	}
	if azjson.Fold(azjson.Str(props, "publicIPAllocationMethod"), "Static") && azjson.Str(props, "ipAddress") == "" {
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
	used := map[string]bool{azjson.Str(r.Hidden, "address"): true}
	for _, o := range p.s.OfType(PublicIPType) {
		used[azjson.Str(o.Body, "properties", "ipAddress")] = true
	}
	for _, o := range p.s.OfType(BastionType) {
		used[azjson.Str(o.Hidden, "address")], used[azjson.Str(o.Hidden, "pod")] = true, true
	}
	return p.pool.Take(used, p.Free)
}

// associate records which IP configuration an address belongs to; "" for none.
func (p *Provider) associate(pip *arm.Resource, config string) {
	if config == "" {
		azjson.Drop(pip.Body, "properties", "ipConfiguration")
		if azjson.Fold(azjson.Str(pip.Body, "properties", "publicIPAllocationMethod"), "Dynamic") {
			azjson.Drop(pip.Body, "properties", "ipAddress")
		}
	} else {
		azjson.Put(pip.Body, config, "properties", "ipConfiguration", "id")
		if azjson.Str(pip.Body, "properties", "ipAddress") == "" {
			p.allocate(pip)
		}
	}
	pip.Retag()
	p.s.Touch(pip)
}
