// Package ipam is the management of IP addresses: the ranges of networks and subnets, the private addresses that are given
// out of them, and the pool of public ones.
package ipam

import (
	"net/netip"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
)

// PrefixOf is the address range of a subnet.
func PrefixOf(subnet azjson.Object) (netip.Prefix, bool) {
	s := azjson.Str(subnet, "properties", "addressPrefix")
	if l := azjson.List(subnet, "properties", "addressPrefixes"); s == "" && len(l) > 0 {
		s, _ = l[0].(string)
	}
	pf, err := netip.ParsePrefix(s)
	return pf, err == nil && pf.Masked() == pf
}

// Spaces are the address ranges of a virtual network.
func Spaces(r *arm.Resource) ([]netip.Prefix, error) {
	list := azjson.List(r.Body, "properties", "addressSpace", "addressPrefixes")
	if len(list) == 0 {
		return nil, arm.BadRequest("InvalidRequestFormat", "Address space of virtual network %s is required.", r.Name()).Empty()
	}
	var l []netip.Prefix
	for _, e := range list {
		s, _ := e.(string)
		pf, err := netip.ParsePrefix(s)
		if err != nil || pf.Masked() != pf {
			return nil, arm.BadRequest("InvalidAddressPrefixFormat", "Address prefix %s of resource %s is not formatted correctly. It should follow CIDR notation, for example 10.0.0.0/24.", s, r.ID).Empty()
		}
		l = append(l, pf)
	}
	return l, nil
}

// Overlap finds a range of one list that overlaps with one of another.
func Overlap(a, b []netip.Prefix) (x, y netip.Prefix, ok bool) {
	for _, x := range a {
		for _, y := range b {
			if x.Overlaps(y) {
				return x, y, true
			}
		}
	}
	return x, y, false
}

// First is the first address of a subnet that Azure gives out.
func First(pf netip.Prefix) netip.Addr {
	a := pf.Addr()
	for range 4 {
		a = a.Next()
	}
	return a
}

// last is the broadcast address of an IPv4 range; no IPv6 range is ever looked at to its end.
func last(pf netip.Prefix) netip.Addr {
	if !pf.Addr().Is4() {
		return netip.Addr{}
	}
	b := pf.Addr().As4()
	for i := pf.Bits(); i < 32; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	return netip.AddrFrom4(b)
}

// Assign checks the static private address of a configuration in a subnet, or gives it a dynamic one: the one it had, or
// the first free from .4 on. used are those of others, with the configuration that has each.
func Assign(o, had, subnet azjson.Object, used map[netip.Addr]string) error {
	props := azjson.Map(o, "properties")
	pf, _ := PrefixOf(subnet)
	if azjson.Fold(azjson.Str(props, "privateIPAllocationMethod"), "Static") {
		given := azjson.Str(props, "privateIPAddress")
		a, err := netip.ParseAddr(given)
		switch {
		case err != nil || !pf.Contains(a):
			return arm.BadRequest("PrivateIPAddressNotInSubnet", "Private static IP address %s does not belong to the range of subnet prefix %s.", given, pf).Empty()
		case used[a] != "":
			return arm.BadRequest("PrivateIPAddressInUse", "IP configuration %s is using the private IP address %s which is already allocated to resource %s.", azjson.Str(o, "id"), a, used[a]).Empty()
		case a.Less(First(pf)) || a == last(pf):
			return arm.BadRequest("PrivateIPAddressInReservedRange", "IP configuration %s is using the private IP address %s which is in the reserved range of subnet prefix %s.", azjson.Str(o, "id"), a, pf).Empty()
		}
		return nil
	}
	if a := azjson.Str(had, "properties", "privateIPAddress"); a != "" && resourceid.Key(azjson.Str(had, "properties", "subnet", "id")) == resourceid.Key(azjson.Str(subnet, "id")) {
		props["privateIPAddress"] = a
		return nil
	}
	for a := First(pf); pf.Contains(a) && a != last(pf); a = a.Next() {
		if used[a] == "" {
			props["privateIPAddress"] = a.String()
			return nil
		}
	}
	return arm.BadRequest("SubnetIsFull", "Subnet %s with address prefix %s does not have enough capacity for 1 IP addresses.", azjson.Str(subnet, "name"), pf).Empty()
}
