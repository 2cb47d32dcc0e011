package bastion

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/network"
)

// The names and sizes that Azure requires.
const (
	SubnetName = "AzureBastionSubnet"
	subnetBits = 26 // the smallest subnet that Azure accepts
)

// tagSubnet marks a Bastion and its address when azlin created the subnet, and holds the network's name, because subnets
// have no tags.
const tagSubnet = "azlin-bastion-subnet"

// CreateOptions describe the Bastion to create. VNet is required.
type CreateOptions struct {
	VNet         string       // id of its network
	Name         string       // empty: "<network>-bastion"
	SKU          string       // Standard, Premium or Developer; empty: Standard
	SubnetPrefix netip.Prefix // of AzureBastionSubnet, if it must be created; zero: a free range at the end of the network
	IPConnect    bool         // Standard and Premium: allow connecting to targets by IP address
	Owner        string       // goes into the tag azlin-owner
}

// CreatePlan is what Create will create.
type CreatePlan struct {
	Name          string       `json:"name"`
	ResourceGroup string       `json:"resource_group"` // the network's
	Location      string       `json:"location"`
	SKU           string       `json:"sku"`
	IPConnect     bool         `json:"ip_connect"`
	VNet          string       `json:"vnet"`                    // id
	Subnet        string       `json:"subnet,omitempty"`        // id; Developer has none
	NewSubnet     netip.Prefix `json:"new_subnet,omitzero"`     // zero: the subnet exists
	PublicIP      string       `json:"public_ip,omitempty"`     // id; Developer has none
	NewPublicIP   bool         `json:"new_public_ip,omitempty"` // it must be created
	Existing      bool         `json:"existing,omitempty"`      // an unfinished one of this name is resumed
	Owner         string       `json:"-"`

	subnetMade bool // by an unfinished create of this name
}

var namePattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,70}[A-Za-z0-9_])?$`)

// PlanCreate reads the network, the Bastions and the address, and plans what to create. A network that already has a Bastion
// is a Conflict.
func (s *Service) PlanCreate(ctx context.Context, o CreateOptions) (CreatePlan, error) {
	id, err := azure.ParseID(o.VNet)
	if err != nil {
		return CreatePlan{}, err
	}
	sku, err := ParseSKU(cmp.Or(o.SKU, Standard))
	if err != nil {
		return CreatePlan{}, err
	}
	p := CreatePlan{
		Name: cmp.Or(o.Name, id.Name()+"-bastion"), ResourceGroup: id.ResourceGroup, SKU: sku, IPConnect: o.IPConnect, VNet: id.String(), Owner: o.Owner,
	}
	fail := func(kind errkind.Kind, format string, args ...any) error {
		return &errkind.Error{Kind: kind, Op: "create bastion", Resource: p.Name, Err: fmt.Errorf(format, args...)}
	}
	switch {
	case !namePattern.MatchString(p.Name):
		return p, fail(errkind.Invalid, "use letters, digits, '.', '-' and '_', at most 72, and begin with a letter or digit")
	case sku == Basic:
		return p, fail(errkind.Invalid, "the Basic SKU has no tunnels: use Standard, Premium or Developer")
	case sku == Developer && o.IPConnect:
		return p, fail(errkind.Invalid, "the Developer SKU has no IP-connect")
	case sku == Developer && o.SubnetPrefix.IsValid():
		return p, fail(errkind.Invalid, "the Developer SKU has no subnet")
	}
	vnet, err := s.azure.VNets().Get(ctx, id.ResourceGroup, id.Name(), nil)
	if err != nil {
		return p, azure.Wrap("get virtual network", id.Name(), err)
	}
	p.VNet, p.Location = val(vnet.ID), val(vnet.Location)
	all, err := s.List(ctx, id.ResourceGroup)
	if err != nil && !azure.IsNotFound(err) { // in a rehearsal, the group may not exist yet
		return p, err
	}
	for _, b := range all {
		mine := strings.EqualFold(b.Name, p.Name)
		switch {
		case !mine && azure.SameID(b.VNet, p.VNet):
			return p, fail(errkind.Conflict, "the network has bastion %s (%s) already", b.Name, b.SKU)
		case mine && (!b.Managed || !strings.EqualFold(b.State, "Failed")):
			return p, fail(errkind.Conflict, "it exists already (%s)", cmp.Or(b.State, "state unknown"))
		case mine:
			p.Existing = true
		}
	}
	if sku == Developer {
		return p, nil
	}
	if err := p.planSubnet(vnet.Properties, o.SubnetPrefix); err != nil {
		return p, fail(errkind.Of(err), "%w", err)
	}
	return p, s.planAddress(ctx, &p)
}

// ParseSKU parses the name of a SKU in any letter case.
func ParseSKU(s string) (string, error) {
	for _, sku := range []string{Developer, Basic, Standard, Premium} {
		if strings.EqualFold(sku, s) {
			return sku, nil
		}
	}
	return "", errkind.New(errkind.Invalid, "there is no bastion SKU %q: use Standard, Premium or Developer", s)
}

// planSubnet finds AzureBastionSubnet, or free space for it.
func (p *CreatePlan) planSubnet(vnet *armnetwork.VirtualNetworkPropertiesFormat, wanted netip.Prefix) error {
	p.Subnet = p.VNet + "/subnets/" + SubnetName
	var spaces, taken []netip.Prefix
	if vnet != nil {
		if vnet.AddressSpace != nil {
			for _, a := range vnet.AddressSpace.AddressPrefixes {
				if pf, err := netip.ParsePrefix(val(a)); err == nil {
					spaces = append(spaces, pf)
				}
			}
		}
		for _, sub := range vnet.Subnets {
			if sub == nil || sub.Properties == nil {
				continue
			}
			for _, a := range append([]*string{sub.Properties.AddressPrefix}, sub.Properties.AddressPrefixes...) {
				pf, err := netip.ParsePrefix(val(a))
				if err != nil {
					continue
				}
				taken = append(taken, pf)
				if strings.EqualFold(val(sub.Name), SubnetName) {
					if pf.Bits() > subnetBits {
						return errkind.New(errkind.Conflict, "its subnet %s is %s, and Azure wants /%d or larger", SubnetName, pf, subnetBits)
					}
					return nil
				}
			}
		}
	}
	if wanted.IsValid() {
		return p.takePrefix(wanted, spaces, taken)
	}
	for _, space := range spaces {
		if pf, ok := freeAtEnd(space, taken); ok {
			p.NewSubnet = pf
			return nil
		}
	}
	return errkind.New(errkind.Capacity, "the network has no free /%d for %s: enlarge its address space", subnetBits, SubnetName)
}

func (p *CreatePlan) takePrefix(wanted netip.Prefix, spaces, taken []netip.Prefix) error {
	switch {
	case wanted.Masked() != wanted:
		return errkind.New(errkind.Invalid, "subnet prefix %s: the network is %s", wanted, wanted.Masked())
	case wanted.Bits() > subnetBits:
		return errkind.New(errkind.Invalid, "subnet prefix %s: Azure wants /%d or larger", wanted, subnetBits)
	}
	inside := false
	for _, s := range spaces {
		inside = inside || s.Bits() <= wanted.Bits() && s.Contains(wanted.Addr())
	}
	if !inside {
		return errkind.New(errkind.Invalid, "subnet prefix %s is not in the network's address space", wanted)
	}
	for _, t := range taken {
		if t.Overlaps(wanted) {
			return errkind.New(errkind.Conflict, "subnet prefix %s overlaps with %s", wanted, t)
		}
	}
	p.NewSubnet = wanted
	return nil
}

// freeAtEnd finds the last /26 of an IPv4 range that overlaps no used range.
func freeAtEnd(space netip.Prefix, taken []netip.Prefix) (netip.Prefix, bool) {
	if !space.Addr().Is4() || space.Bits() > subnetBits {
		return netip.Prefix{}, false
	}
	first := number(space.Masked().Addr())
	for n := (1 << (subnetBits - space.Bits())) - 1; n >= 0; n-- {
		pf := netip.PrefixFrom(address(first+uint32(n)<<(32-subnetBits)), subnetBits) //nolint:gosec // below 2^26
		free := true
		for _, t := range taken {
			free = free && !t.Overlaps(pf)
		}
		if free {
			return pf, true
		}
	}
	return netip.Prefix{}, false
}

func number(a netip.Addr) uint32 {
	b := a.As4()
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

func address(n uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

// planAddress finds the public address of an unfinished Bastion, or plans a new one.
func (s *Service) planAddress(ctx context.Context, p *CreatePlan) error {
	name := addressName(p.Name)
	p.PublicIP = azure.NewID(s.azure.SubscriptionID(), p.ResourceGroup, "Microsoft.Network", "publicIPAddresses", name).String()
	found, err := s.azure.PublicIPs().Get(ctx, p.ResourceGroup, name, nil)
	if azure.IsNotFound(err) {
		p.NewPublicIP = true
		return nil
	}
	if err != nil {
		return azure.Wrap("get public address", name, err)
	}
	tags := azure.Tags(found.Tags)
	_, p.subnetMade = azure.Tag(tags, tagSubnet)
	by := azure.PublicIPUsedBy(&found.PublicIPAddress)
	if !azure.Managed(tags) || by != "" && !p.Existing {
		return &errkind.Error{
			Kind: errkind.Conflict, Op: "create bastion", Resource: p.Name,
			Err: fmt.Errorf("the public address %s exists already, and is used by %s", name, cmp.Or(by, "somebody else")),
		}
	}
	return nil
}

// Create carries out the plan in this order: address, subnet, Bastion. report, which may be nil, receives each step. It
// takes six to ten minutes, except for Developer. The error names what a failed create left, which the next create of the
// same name uses.
func (s *Service) Create(ctx context.Context, p CreatePlan, report func(step string)) (Bastion, error) {
	say := func(text string) {
		if report != nil {
			report(text)
		}
	}
	var left []string
	b, err := s.create(ctx, p, say, &left)
	if err != nil {
		return b, &errkind.Error{Kind: errkind.Of(err), LeftOver: left, Err: err}
	}
	return b, nil
}

func (s *Service) create(ctx context.Context, p CreatePlan, say func(string), left *[]string) (Bastion, error) {
	tags := map[string]string{azure.TagManagedBy: azure.ManagedBy, azure.TagCreated: s.azure.Clock().Now().UTC().Format(time.RFC3339)}
	if p.Owner != "" {
		tags[azure.TagOwner] = p.Owner
	}
	vnet, err := azure.ParseID(p.VNet)
	if err != nil {
		return Bastion{}, err
	}
	host := armnetwork.BastionHost{
		Location: new(p.Location), SKU: &armnetwork.SKU{Name: new(armnetwork.BastionHostSKUName(p.SKU))}, Properties: &armnetwork.BastionHostPropertiesFormat{},
	}
	tags[azure.TagOperation] = p.mark(vnet.Name())
	if p.SKU == Developer {
		host.Properties.VirtualNetwork = &armnetwork.SubResource{ID: new(p.VNet)}
	} else {
		if p.NewSubnet.IsValid() || p.subnetMade {
			tags[tagSubnet] = vnet.Name()
		}
		// The address first: its tag records that azlin created the subnet, for resuming and cleaning up.
		if err := s.ensureAddress(ctx, p, tags, say, left); err != nil {
			return Bastion{}, err
		}
		if p.NewSubnet.IsValid() {
			say("creating subnet " + SubnetName)
			// Only Azure's services use this subnet, so defaultOutboundAccess is left to them.
			_, err := azure.Run(ctx, s.azure, "create subnet", SubnetName, func(ctx context.Context) (*runtime.Poller[armnetwork.SubnetsClientCreateOrUpdateResponse], error) {
				return s.azure.Subnets().BeginCreateOrUpdate(ctx, vnet.ResourceGroup, vnet.Name(), SubnetName, armnetwork.Subnet{
					Properties: &armnetwork.SubnetPropertiesFormat{AddressPrefix: new(p.NewSubnet.String())},
				}, nil)
			})
			if err != nil {
				return Bastion{}, err
			}
		}
		host.Properties.EnableTunneling, host.Properties.EnableIPConnect = new(true), new(p.IPConnect)
		host.Properties.IPConfigurations = []*armnetwork.BastionHostIPConfiguration{{
			Name: new("ipconfig1"), Properties: &armnetwork.BastionHostIPConfigurationPropertiesFormat{
				Subnet: &armnetwork.SubResource{ID: new(p.Subnet)}, PublicIPAddress: &armnetwork.SubResource{ID: new(p.PublicIP)},
			},
		}}
	}
	host.Tags = azure.SDKTags(tags)
	id := azure.NewID(s.azure.SubscriptionID(), p.ResourceGroup, "Microsoft.Network", "bastionHosts", p.Name).String()
	say("creating bastion " + p.Name)
	*left = append(*left, id)
	made, err := azure.Run(ctx, s.azure, "create bastion", p.Name, func(ctx context.Context) (*runtime.Poller[armnetwork.BastionHostsClientCreateOrUpdateResponse], error) {
		return s.azure.Bastions().BeginCreateOrUpdate(ctx, p.ResourceGroup, p.Name, host, nil)
	})
	if err != nil {
		return Bastion{}, err
	}
	return fromModel(&made.BastionHost), nil
}

// ensureAddress creates the Bastion's public address, or reuses that of an unfinished one.
func (s *Service) ensureAddress(ctx context.Context, p CreatePlan, tags map[string]string, say func(string), left *[]string) error {
	place := network.Place{
		Group: p.ResourceGroup, Region: p.Location, Tags: tags, Report: say, Left: func(id string) { *left = append(*left, id) },
	}
	host := azure.NewID(s.azure.SubscriptionID(), p.ResourceGroup, "Microsoft.Network", "bastionHosts", p.Name)
	_, err := network.New(s.azure).EnsureAddress(ctx, place, addressName(p.Name), host.String())
	return err
}
