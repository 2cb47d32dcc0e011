package network

import (
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/ensure"
	"github.com/azlin-dev/azlin/errkind"
)

// NIC reads a network interface (networkInterfaces/get); nil when it does not exist.
func (s *Service) NIC(ctx context.Context, id string) (*armnetwork.Interface, error) {
	parsed, err := azure.ParseID(id)
	if err != nil {
		return nil, err
	}
	resp, err := s.azure.NICs().Get(ctx, parsed.ResourceGroup, parsed.Name(), nil)
	if azure.IsNotFound(err) {
		return nil, nil
	}
	return &resp.Interface, azure.Wrap("get network interface", parsed.Name(), err)
}

// Address reads a public address (publicIPAddresses/get); nil when it does not exist.
func (s *Service) Address(ctx context.Context, id string) (*armnetwork.PublicIPAddress, error) {
	parsed, err := azure.ParseID(id)
	if err != nil {
		return nil, err
	}
	resp, err := s.azure.PublicIPs().Get(ctx, parsed.ResourceGroup, parsed.Name(), nil)
	if azure.IsNotFound(err) {
		return nil, nil
	}
	return &resp.PublicIPAddress, azure.Wrap("get public address", parsed.Name(), err)
}

// IPConfigurations returns those of nic that have properties, the primary one first.
func IPConfigurations(nic *armnetwork.Interface) []*armnetwork.InterfaceIPConfiguration {
	if nic.Properties == nil {
		return nil
	}
	var out []*armnetwork.InterfaceIPConfiguration
	for _, cfg := range nic.Properties.IPConfigurations {
		switch {
		case cfg == nil || cfg.Properties == nil:
		case azure.Value(cfg.Properties.Primary):
			out = append([]*armnetwork.InterfaceIPConfiguration{cfg}, out...)
		default:
			out = append(out, cfg)
		}
	}
	return out
}

// EnsureAddress returns a Standard static public address (publicIPAddresses/createOrUpdate). user is the id of an allowed
// user; an address used by anything else is a Conflict.
func (s *Service) EnsureAddress(ctx context.Context, p Place, name, user string) (*armnetwork.PublicIPAddress, error) {
	address, _, err := ensure.Ensure(ctx, s.azure, ensure.Resource[armnetwork.PublicIPAddress]{
		Kind: "public address", Name: name, ID: s.id(p.Group, "publicIPAddresses", name), Region: p.Region, Advice: advice, Report: p.Report, Left: p.Left,
		Get: func(ctx context.Context) (armnetwork.PublicIPAddress, error) {
			resp, err := s.azure.PublicIPs().Get(ctx, p.Group, name, nil)
			return resp.PublicIPAddress, err
		},
		Read: func(m *armnetwork.PublicIPAddress) ensure.Existing {
			return ensure.Existing{ID: azure.Value(m.ID), Location: azure.Value(m.Location), Tags: m.Tags}
		},
		Judge: func(m *armnetwork.PublicIPAddress) error {
			by := azure.PublicIPUsedBy(m)
			if by == "" || azure.SameID(by, user) || strings.HasPrefix(azure.IDKey(by), azure.IDKey(user)+"/") {
				return nil
			}
			return errkind.New(errkind.Conflict, "%s uses it", by)
		},
		Create: func(ctx context.Context) (armnetwork.PublicIPAddress, error) {
			resp, err := azure.Run(ctx, s.azure, "create public address", name, func(ctx context.Context) (*runtime.Poller[armnetwork.PublicIPAddressesClientCreateOrUpdateResponse], error) {
				return s.azure.PublicIPs().BeginCreateOrUpdate(ctx, p.Group, name, armnetwork.PublicIPAddress{
					Location: new(p.Region),
					Tags:     azure.SDKTags(p.Tags),
					SKU: &armnetwork.PublicIPAddressSKU{
						Name: to.Ptr(armnetwork.PublicIPAddressSKUNameStandard), Tier: to.Ptr(armnetwork.PublicIPAddressSKUTierRegional),
					},
					Properties: &armnetwork.PublicIPAddressPropertiesFormat{
						PublicIPAllocationMethod: to.Ptr(armnetwork.IPAllocationMethodStatic),
						PublicIPAddressVersion:   to.Ptr(armnetwork.IPVersionIPv4),
						DeleteOption:             to.Ptr(armnetwork.DeleteOptionsDelete),
					},
				}, nil)
			})
			return resp.PublicIPAddress, err
		},
	})
	return &address, err
}
