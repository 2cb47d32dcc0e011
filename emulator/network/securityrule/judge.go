package securityrule

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
)

// Judge judges one rule beside its siblings and brings it into Azure's form.
func Judge(siblings []any, o azjson.Object) error {
	name := azjson.Str(o, "name")
	props := azjson.Map(o, "properties")
	for _, k := range []string{"access", "direction", "protocol"} {
		allowed := map[string][]string{"access": {"Allow", "Deny"}, "direction": {"Inbound", "Outbound"}, "protocol": {"*", "Tcp", "Udp", "Icmp", "Esp", "Ah"}}[k]
		given := azjson.Str(props, k)
		props[k] = ""
		for _, a := range allowed {
			if azjson.Fold(a, given) {
				props[k] = a
			}
		}
		if props[k] == "" {
			return arm.BadRequest("SecurityRuleInvalid"+strings.ToUpper(k[:1])+k[1:], "Security rule has invalid %s. Value provided: %s. Allowed values are: %s.", k, given, strings.Join(allowed, ",")).Empty()
		}
	}
	n, ok := azjson.Int(props, "priority")
	if !ok || n < 100 || n > 4096 {
		return arm.BadRequest("SecurityRuleInvalidPriority", "Security rule has invalid Priority. Value provided: %v. Allowed range 100-4096.", props["priority"]).Empty()
	}
	for _, e := range siblings {
		if other, _ := azjson.Int(e, "properties", "priority"); other == n && azjson.Str(e, "properties", "direction") == props["direction"] {
			return arm.BadRequest("SecurityRuleConflict", "Security rule %s conflicts with rule %s. Rules cannot have the same Priority and Direction.", name, azjson.Str(e, "name")).Empty()
		}
	}
	for _, side := range []string{"source", "destination"} {
		if err := sideOf(props, azjson.Str(o, "id"), side); err != nil {
			return err
		}
	}
	return nil
}

// sideOf judges the ports and addresses of the source or the destination of the rule with an id.
func sideOf(props azjson.Object, id, side string) error {
	for _, k := range []string{"PortRange", "AddressPrefix"} {
		one, many := side+k, side+k+"s"
		if k == "AddressPrefix" {
			many = side + "AddressPrefixes"
		}
		azjson.Default(props, []any{}, many)
		values := azjson.List(props, many)
		if s := azjson.Str(props, one); s != "" {
			values = append([]any{s}, values...)
		}
		groups := azjson.List(props, side+"ApplicationSecurityGroups")
		if len(values) == 0 && (k == "PortRange" || len(groups) == 0) {
			return arm.BadRequest("SecurityRuleParameterNotSet", "Required security rule parameters are missing for security rule with Id: %s. Security rule must specify %s or %s.", id, one, many).Empty()
		}
		for _, v := range values {
			s, _ := v.(string)
			if k == "PortRange" {
				if _, _, ok := portRange(s); !ok {
					return arm.BadRequest("SecurityRuleInvalidPortRange", "Security rule has invalid Port range. Value provided: %s. Value should be an integer OR integer range with '-' delimiter. Valid range 0-65535.", s).Empty()
				}
			} else if !validPrefix(s) {
				return arm.BadRequest("SecurityRuleInvalidAddressPrefix", "Security rule has invalid Address prefix. Value provided: %s", s).Empty()
			}
		}
	}
	return nil
}

// portRange reads 22, 20-25 or *.
func portRange(s string) (low, high int, ok bool) {
	if s == "*" {
		return 0, 65535, true
	}
	a, b, dash := strings.Cut(s, "-")
	if !dash {
		b = a
	}
	low, errA := strconv.Atoi(a)
	high, errB := strconv.Atoi(b)
	return low, high, errA == nil && errB == nil && 0 <= low && low <= high && high <= 65535 && a[0] != '+' && b[0] != '+'
}

// validPrefix reports whether s is an address, a range or a service tag.
func validPrefix(s string) bool {
	if s == "*" {
		return true
	}
	if pf, err := netip.ParsePrefix(s); err == nil {
		return pf.Masked() == pf || pf.Bits() == pf.Addr().BitLen()
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	if s == "" || !isLetter(s[0]) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isLetter(c) && (c < '0' || c > '9') && c != '.' {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// Defaults are the six rules that every security group ends with.
func Defaults() []azjson.Object {
	rule := func(name, description, direction, source, destination, access string, priority int) azjson.Object {
		return azjson.Object{"name": name, "properties": azjson.Object{
			"description": description, "protocol": "*", "sourcePortRange": "*",
			"destinationPortRange": "*", "sourceAddressPrefix": source, "destinationAddressPrefix": destination, "access": access,
			"priority": priority, "direction": direction, "sourcePortRanges": []any{}, "destinationPortRanges": []any{},
			"sourceAddressPrefixes": []any{}, "destinationAddressPrefixes": []any{},
		}}
	}
	return []azjson.Object{
		rule("AllowVnetInBound", "Allow inbound traffic from all VMs in VNET", "Inbound", "VirtualNetwork", "VirtualNetwork", "Allow", 65000),
		rule("AllowAzureLoadBalancerInBound", "Allow inbound traffic from azure load balancer", "Inbound", "AzureLoadBalancer", "*", "Allow", 65001),
		rule("DenyAllInBound", "Deny all inbound traffic", "Inbound", "*", "*", "Deny", 65500),
		rule("AllowVnetOutBound", "Allow outbound traffic from all VMs to all VMs in VNET", "Outbound", "VirtualNetwork", "VirtualNetwork", "Allow", 65000),
		rule("AllowInternetOutBound", "Allow outbound traffic from all VMs to Internet", "Outbound", "*", "Internet", "Allow", 65001),
		rule("DenyAllOutBound", "Deny all outbound traffic", "Outbound", "*", "*", "Deny", 65500),
	}
}
