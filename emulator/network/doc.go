// Package network emulates Microsoft.Network: virtual networks, their subnets and peerings, security groups and
// their rules, public IP addresses, network interfaces, NAT gateways and Bastion hosts, and of load balancers and private
// endpoints what they hold.
//
// Gateways and route tables are not here, and nothing is balanced.
package network

import (
	"net/netip"
	"regexp"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/network/ipam"
)

// Types of this provider.
const (
	VNetType     = "Microsoft.Network/virtualNetworks"
	NSGType      = "Microsoft.Network/networkSecurityGroups"
	PublicIPType = "Microsoft.Network/publicIPAddresses"
	NICType      = "Microsoft.Network/networkInterfaces"
	NATType      = "Microsoft.Network/natGateways"
	BastionType  = "Microsoft.Network/bastionHosts"

	LoadBalancerType    = "Microsoft.Network/loadBalancers"
	PrivateEndpointType = "Microsoft.Network/privateEndpoints"
)

// Provider is Microsoft.Network on a server.
type Provider struct {
	// Free says whether a public address may be given out; nil: all may. Set it before the first request.
	Free func(netip.Addr) bool
	// BastionPort is where Bastions listen; 0: 443.
	BastionPort uint16

	s      *arm.Server
	limits map[string]int // overrides by name
	pool   ipam.Pool
}

// Register adds the provider to a server. limits override those of a region, by the names of the
// usages: PublicIPAddresses.
func Register(s *arm.Server, limits map[string]int) *Provider {
	p := &Provider{s: s, limits: limits, pool: ipam.NewPool()}
	p.introduce()
	p.operations()
	p.vnets()
	p.subnets()
	p.peerings()
	p.nsgs()
	p.rules()
	p.publicIPs()
	p.nics()
	p.natGateways()
	p.loadBalancers()
	p.privateEndpoints()
	p.bastions()
	p.usages()
	return p
}

// Versions are the api-versions of Microsoft.Network.
func Versions() []string {
	return []string{
		"2015-06-15", "2016-03-30", "2016-06-01", "2016-09-01", "2016-12-01", "2017-03-01", "2017-06-01", "2017-08-01", "2017-09-01",
		"2017-10-01", "2017-11-01", "2018-01-01", "2018-02-01", "2018-04-01", "2018-06-01", "2018-07-01", "2018-08-01", "2018-10-01", "2018-11-01",
		"2018-12-01", "2019-02-01", "2019-04-01", "2019-06-01", "2019-07-01", "2019-08-01", "2019-09-01", "2019-11-01", "2019-12-01", "2020-01-01",
		"2020-03-01", "2020-04-01", "2020-05-01", "2020-06-01", "2020-07-01", "2020-08-01", "2020-11-01", "2021-01-01", "2021-02-01", "2021-03-01",
		"2021-04-01", "2021-05-01", "2021-08-01", "2021-12-01", "2022-01-01", "2022-05-01", "2022-07-01", "2022-09-01", "2022-11-01", "2023-02-01",
		"2023-04-01", "2023-05-01", "2023-06-01", "2023-09-01", "2023-11-01", "2024-01-01", "2024-03-01", "2024-05-01", "2024-07-01", "2024-10-01",
		"2025-01-01", "2025-03-01", "2025-05-01", "2025-07-01", "2026-01-01",
	}
}

// namePattern is how names of the provider must look.
var namePattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,78}[A-Za-z0-9_])?$`)

func rule(typ string) arm.NameRule {
	return arm.NameRule{
		Type: typ, Max: 80, Pattern: namePattern,
		Says: "The name can be up to 80 characters long. It must begin with a word character, and it must end with a word character or with '_'. The name may contain word characters or '.', '-', '_'.",
	}
}
