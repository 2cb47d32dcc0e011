package network

import (
	"context"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// Subnet holds the properties of a subnet that matter to a VM in it.
type Subnet struct {
	ID         string
	VNet       string // id
	Region     string
	NATGateway string // id; empty: none
	RouteTable string // id; empty: none
	// DefaultOutbound: VMs have Azure's default outbound access. False also when Azure does not report it.
	DefaultOutbound bool
}

// HasEgress reports whether a VM without a public address can reach the Internet from the subnet, as far as can be seen:
// through a NAT gateway, Azure's default outbound access, or a route table, which may lead to a firewall.
func (s Subnet) HasEgress() bool {
	return s.NATGateway != "" || s.RouteTable != "" || s.DefaultOutbound
}

// Subnet reads an existing subnet and the region of its network (virtualNetworks/get). An absent one is NotFound.
func (s *Service) Subnet(ctx context.Context, subnetID string) (Subnet, error) {
	id, err := azure.ParseID(subnetID)
	if err != nil || !id.IsType("Microsoft.Network/virtualNetworks/subnets") {
		return Subnet{}, errkind.New(errkind.Invalid, "%q is not the id of a subnet", subnetID)
	}
	subnets, err := s.subnetsOf(ctx, id.Parent())
	if err != nil {
		return Subnet{}, err
	}
	for _, sub := range subnets {
		if azure.SameID(sub.ID, subnetID) {
			return sub, nil
		}
	}
	return Subnet{}, &errkind.Error{
		Kind: errkind.NotFound, Op: "get subnet", Resource: id.Name(),
		Err: errkind.New(errkind.NotFound, "virtual network %s has no subnet of that name", id.Parent().Name()),
	}
}

// Subnets lists the subnets of a network (virtualNetworks/get). An absent network is NotFound.
func (s *Service) Subnets(ctx context.Context, vnetID string) ([]Subnet, error) {
	id, err := azure.ParseID(vnetID)
	if err != nil || !id.IsType("Microsoft.Network/virtualNetworks") {
		return nil, errkind.New(errkind.Invalid, "%q is not the id of a virtual network", vnetID)
	}
	return s.subnetsOf(ctx, id)
}

func (s *Service) subnetsOf(ctx context.Context, vnet azure.ID) ([]Subnet, error) {
	found, err := s.azure.VNets().Get(ctx, vnet.ResourceGroup, vnet.Name(), nil)
	if err != nil {
		return nil, azure.Wrap("get virtual network", vnet.Name(), err)
	}
	if found.Properties == nil {
		return nil, nil
	}
	var all []Subnet
	for _, m := range found.Properties.Subnets {
		if m == nil || m.Properties == nil {
			continue
		}
		sub := Subnet{ID: azure.Value(m.ID), VNet: azure.Value(found.ID), Region: azure.Value(found.Location), DefaultOutbound: azure.Value(m.Properties.DefaultOutboundAccess)}
		if m.Properties.NatGateway != nil {
			sub.NATGateway = azure.Value(m.Properties.NatGateway.ID)
		}
		if m.Properties.RouteTable != nil {
			sub.RouteTable = azure.Value(m.Properties.RouteTable.ID)
		}
		all = append(all, sub)
	}
	return all, nil
}
