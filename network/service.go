package network

import (
	"context"
	"time"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/resourcegroup"
	"github.com/azlin-dev/azlin/internal/keylock"
)

// Service is the networks of one subscription. It may be used by several goroutines.
type Service struct {
	azure *azure.Client
	locks keylock.Locks // VMs of one pool find what they share made by the first
}

// New returns the service of c's subscription. It sends nothing.
func New(c *azure.Client) *Service { return &Service{azure: c} }

// Place is where resources are made, and how they are marked.
type Place struct {
	Group, Region string
	Tags          map[string]string // of what one VM has to itself
	Shared        map[string]string // of what VMs share

	Report func(step string) // may be nil
	Left   func(id string)   // hears of what exists because of one VM; may be nil
}

// id is the ARM id of a network resource of this subscription.
func (s *Service) id(group string, typeAndNames ...string) string {
	return azure.NewID(s.azure.SubscriptionID(), group, "Microsoft.Network", typeAndNames...).String()
}

// VNetID is the id of a virtual network of this subscription.
func (s *Service) VNetID(group, name string) string { return s.id(group, "virtualNetworks", name) }

// SharedSubnetID is the id of the subnet that a VM goes to when it names none, whether it exists yet or not.
func (s *Service) SharedSubnetID(group, region string, private bool) string {
	name := SubnetName
	if private {
		name = PrivateSubnetName
	}
	return s.id(group, "virtualNetworks", VNetName(region), "subnets", name)
}

// EnsureShared makes the network that azlin's VMs of a region share, and its resource group, as far as they are missing
// (resourceGroups, virtualNetworks and subnets, createOrUpdate), and returns the network's id. report may be nil.
func (s *Service) EnsureShared(ctx context.Context, group, region, owner string, report func(step string)) (string, error) {
	p := Place{Group: group, Region: region, Report: report, Shared: map[string]string{
		azure.TagManagedBy: azure.ManagedBy, azure.TagCreated: s.azure.Clock().Now().UTC().Format(time.RFC3339),
	}}
	if owner != "" {
		p.Shared[azure.TagOwner] = owner
	}
	if _, _, err := resourcegroup.New(s.azure).Ensure(ctx, group, region, p.Shared); err != nil {
		return "", err
	}
	_, err := s.EnsureSubnet(ctx, p, false, false)
	return s.VNetID(group, VNetName(region)), err
}
