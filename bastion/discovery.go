package bastion

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// The SKUs of Bastion.
const (
	Developer = "Developer" // free, one connection at a time, same network only
	Basic     = "Basic"     // in the browser only
	Standard  = "Standard"
	Premium   = "Premium"
)

// Bastion is what Azure reports about a Bastion host.
type Bastion struct {
	Name          string            `json:"name"`
	ResourceGroup string            `json:"resource_group"`
	Location      string            `json:"location"`
	SKU           string            `json:"sku"`
	State         string            `json:"provisioning_state"`
	DNSName       string            `json:"dns_name,omitempty"` // host for tunnels; empty while it is being created
	Tunneling     bool              `json:"tunneling"`          // native clients are allowed
	IPConnect     bool              `json:"ip_connect"`         // connecting to targets by IP address is allowed
	ScaleUnits    int               `json:"scale_units,omitempty"`
	ID            string            `json:"id"`
	VNet          string            `json:"vnet"`                // id of its network
	Subnet        string            `json:"subnet,omitempty"`    // id; Developer has none
	PublicIP      string            `json:"public_ip,omitempty"` // id; Developer has none
	Tags          map[string]string `json:"tags,omitempty"`
	Managed       bool              `json:"managed"` // carries managed-by=azlin
}

// Usable is nil when tunnels can be opened, else an error with the reason that wraps ErrUnusable.
func (b Bastion) Usable() error {
	reason := ""
	switch {
	case strings.EqualFold(b.SKU, Basic):
		reason = "its SKU is Basic, which has no tunnels; it can be upgraded to Standard"
	case !strings.EqualFold(b.SKU, Developer) && !b.Tunneling:
		reason = "its native client support (enableTunneling) is off"
	case b.DNSName == "":
		reason = "it is still being made"
	case strings.EqualFold(b.State, "Failed"), strings.EqualFold(b.State, "Deleting"):
		reason = "its state is " + b.State
	default:
		return nil
	}
	return &errkind.Error{
		Kind: errkind.Conflict, Op: "use bastion", Resource: b.Name, Class: ErrUnusable, Err: fmt.Errorf("%w: %s", ErrUnusable, reason),
	}
}

// List returns the Bastions of a group, or of the subscription when group is empty, sorted by name (GET bastionHosts, one
// request per page).
func (s *Service) List(ctx context.Context, group string) ([]Bastion, error) {
	l := []Bastion{}
	add := func(page []*armnetwork.BastionHost) {
		for _, m := range page {
			if m != nil {
				l = append(l, fromModel(m))
			}
		}
	}
	var err error
	if group == "" {
		err = each(ctx, s.azure.Bastions().NewListPager(nil), func(p armnetwork.BastionHostsClientListResponse) { add(p.Value) })
	} else {
		err = each(ctx, s.azure.Bastions().NewListByResourceGroupPager(group, nil),
			func(p armnetwork.BastionHostsClientListByResourceGroupResponse) { add(p.Value) })
	}
	if err != nil {
		return nil, azure.Wrap("list bastions", group, err)
	}
	slices.SortFunc(l, func(a, b Bastion) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return l, nil
}

func each[P any](ctx context.Context, pager *runtime.Pager[P], do func(P)) error {
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return err
		}
		do(page)
	}
	return nil
}

// Get reads one Bastion. An absent one is NotFound.
func (s *Service) Get(ctx context.Context, group, name string) (Bastion, error) {
	resp, err := s.azure.Bastions().Get(ctx, group, name, nil)
	if err != nil {
		return Bastion{}, azure.Wrap("get bastion", name, err)
	}
	return fromModel(&resp.BastionHost), nil
}

// Find reads a Bastion by id or name. A name is looked up in the group, or in the subscription when group is empty; no match
// is NotFound, several are a Conflict that lists them.
func (s *Service) Find(ctx context.Context, nameOrID, group string) (Bastion, error) {
	if strings.HasPrefix(nameOrID, "/") {
		id, err := azure.ParseID(nameOrID)
		if err != nil {
			return Bastion{}, err
		}
		if !id.IsType("Microsoft.Network/bastionHosts") || len(id.Names) != 1 {
			return Bastion{}, errkind.New(errkind.Invalid, "%s is not the id of a bastion", nameOrID)
		}
		return s.Get(ctx, id.ResourceGroup, id.Name())
	}
	all, err := s.List(ctx, group)
	if err != nil {
		return Bastion{}, err
	}
	var hits []Bastion
	var where []string
	for _, b := range all {
		if strings.EqualFold(b.Name, nameOrID) {
			hits, where = append(hits, b), append(where, b.ResourceGroup+"/"+b.Name)
		}
	}
	switch len(hits) {
	case 1:
		return hits[0], nil
	case 0:
		return Bastion{}, &errkind.Error{Kind: errkind.NotFound, Op: "find bastion", Resource: nameOrID, Err: errors.New("no bastion has this name")}
	}
	return Bastion{}, &errkind.Error{
		Kind: errkind.Conflict, Op: "find bastion", Resource: nameOrID, Err: fmt.Errorf("several bastions match: %s", strings.Join(where, ", ")),
	}
}

// Reaching returns the best Bastion that reaches the VMs of a network, or nil. It sends one request, and a second one for
// the network's peers if no Bastion is in the network itself. vnetID may also be the id of a subnet.
func (s *Service) Reaching(ctx context.Context, vnetID string) (*Bastion, error) {
	l, err := s.InReach(ctx, vnetID)
	if err != nil {
		return nil, err
	}
	for _, b := range l {
		if b.Usable() == nil {
			return &b, nil
		}
	}
	return nil, nil
}

// InReach returns all Bastions that reach a network, usable or not, best first: those in the network itself before those in
// its peers, Premium and Standard before Developer, azlin's own before others.
func (s *Service) InReach(ctx context.Context, vnetID string) ([]Bastion, error) {
	id, err := azure.ParseID(vnetID)
	if err != nil {
		return nil, err
	}
	if id.IsType("Microsoft.Network/virtualNetworks/subnets") {
		id = id.Parent()
	}
	all, err := s.List(ctx, "")
	if errkind.Of(err) == errkind.Permission {
		all, err = s.List(ctx, id.ResourceGroup) // the caller may read only one group
		if azure.IsNotFound(err) {
			return nil, nil // a group that does not exist yet has none
		}
	}
	if err != nil {
		return nil, err
	}
	own := within(all, id.String())
	if slices.ContainsFunc(own, func(b Bastion) bool { return b.Usable() == nil }) || len(own) == len(all) {
		return own, nil
	}
	vnet, err := s.azure.VNets().Get(ctx, id.ResourceGroup, id.Name(), nil)
	if azure.IsNotFound(err) {
		return own, nil
	}
	if err != nil {
		return nil, azure.Wrap("get virtual network", id.Name(), err)
	}
	if vnet.Properties == nil {
		return own, nil
	}
	for _, p := range vnet.Properties.VirtualNetworkPeerings {
		if p == nil || p.Properties == nil || p.Properties.RemoteVirtualNetwork == nil {
			continue
		}
		if state := p.Properties.PeeringState; state != nil && *state != armnetwork.VirtualNetworkPeeringStateConnected {
			continue
		}
		for _, b := range within(all, val(p.Properties.RemoteVirtualNetwork.ID)) {
			if !strings.EqualFold(b.SKU, Developer) {
				own = append(own, b)
			}
		}
	}
	return own, nil
}

// within returns the Bastions in a network, best first.
func within(all []Bastion, vnet string) []Bastion {
	var l []Bastion
	for _, b := range all {
		if azure.SameID(b.VNet, vnet) {
			l = append(l, b)
		}
	}
	slices.SortStableFunc(l, func(a, b Bastion) int {
		return cmp.Or(cmp.Compare(worse(a), worse(b)), cmp.Compare(a.ID, b.ID))
	})
	return l
}

func worse(b Bastion) (n int) {
	if b.Usable() != nil {
		n += 4
	}
	if strings.EqualFold(b.SKU, Developer) {
		n += 2
	}
	if !b.Managed {
		n++
	}
	return n
}

func val[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

func fromModel(m *armnetwork.BastionHost) Bastion {
	tags := azure.Tags(m.Tags)
	b := Bastion{Name: val(m.Name), ID: val(m.ID), Location: val(m.Location), Tags: tags, Managed: azure.Managed(tags), SKU: Basic}
	if id, err := azure.ParseID(b.ID); err == nil {
		b.ResourceGroup = id.ResourceGroup
	}
	if m.SKU != nil && m.SKU.Name != nil {
		b.SKU = string(*m.SKU.Name)
	}
	p := m.Properties
	if p == nil {
		return b
	}
	b.State, b.DNSName = string(val(p.ProvisioningState)), val(p.DNSName)
	b.Tunneling, b.IPConnect, b.ScaleUnits = val(p.EnableTunneling), val(p.EnableIPConnect), int(val(p.ScaleUnits))
	if p.VirtualNetwork != nil {
		b.VNet = val(p.VirtualNetwork.ID)
	}
	for _, cfg := range p.IPConfigurations {
		if cfg == nil || cfg.Properties == nil {
			continue
		}
		if cfg.Properties.Subnet != nil {
			b.Subnet = val(cfg.Properties.Subnet.ID)
			if id, err := azure.ParseID(b.Subnet); err == nil {
				b.VNet = id.Parent().String()
			}
		}
		if cfg.Properties.PublicIPAddress != nil {
			b.PublicIP = val(cfg.Properties.PublicIPAddress.ID)
		}
	}
	return b
}
