package network

import (
	"context"
	"time"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/resourcegroup"
	"github.com/azlin-dev/azlin/internal/keylock"
)

// Service manages the networks of one subscription. It is safe for concurrent use.
type Service struct {
	azure *azure.Client
	locks keylock.Locks // the first VM of a pool creates shared resources for the others
}

// New returns the service of c's subscription. It sends no request.
func New(c *azure.Client) *Service { return &Service{azure: c} }

// Place is where resources are created, and how they are tagged.
type Place struct {
	Group, Region string
	Tags          map[string]string // for resources of one VM
	Shared        map[string]string // for shared resources

	Report func(step string) // may be nil
	Left   func(id string)   // called with the ids of one VM's resources; may be nil
}

// id is the ARM id of a network resource of this subscription.
func (s *Service) id(group string, typeAndNames ...string) string {
	return azure.NewID(s.azure.SubscriptionID(), group, "Microsoft.Network", typeAndNames...).String()
}

// VNetID is the id of a virtual network of this subscription.
func (s *Service) VNetID(group, name string) string { return s.id(group, "virtualNetworks", name) }

// SharedSubnetID is the id of the subnet for a VM that names none, whether it exists yet or not.
func (s *Service) SharedSubnetID(group, region string, private bool) string {
	name := SubnetName
	if private {
		name = PrivateSubnetName
	}
	return s.id(group, "virtualNetworks", VNetName(region), "subnets", name)
}

// EnsureShared creates what is missing of the network that azlin's VMs of a region share, and its resource group
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
