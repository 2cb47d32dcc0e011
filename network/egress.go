package network

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/ensure"
)

// ensureNAT returns the id of the region's NAT gateway, creating it and its address if absent.
func (s *Service) ensureNAT(ctx context.Context, p Place) (string, error) {
	name := NATName(p.Region)
	shared := p
	shared.Tags, shared.Left = p.Shared, nil
	gateway, _, err := ensure.Ensure(ctx, s.azure, ensure.Resource[armnetwork.NatGateway]{
		Kind: "NAT gateway", Name: name, ID: s.id(p.Group, "natGateways", name), Region: p.Region, Advice: advice, Report: p.Report,
		Get: func(ctx context.Context) (armnetwork.NatGateway, error) {
			resp, err := s.azure.NATGateways().Get(ctx, p.Group, name, nil)
			return resp.NatGateway, err
		},
		Read: func(m *armnetwork.NatGateway) ensure.Existing {
			return ensure.Existing{ID: azure.Value(m.ID), Location: azure.Value(m.Location), Tags: m.Tags}
		},
		Create: func(ctx context.Context) (armnetwork.NatGateway, error) {
			address, err := s.EnsureAddress(ctx, shared, natAddressName(p.Region), s.id(p.Group, "natGateways", name))
			if err != nil {
				return armnetwork.NatGateway{}, err
			}
			resp, err := azure.Run(ctx, s.azure, "create NAT gateway", name, func(ctx context.Context) (*runtime.Poller[armnetwork.NatGatewaysClientCreateOrUpdateResponse], error) {
				return s.azure.NATGateways().BeginCreateOrUpdate(ctx, p.Group, name, armnetwork.NatGateway{
					Location: new(p.Region), Tags: azure.SDKTags(p.Shared),
					SKU: &armnetwork.NatGatewaySKU{Name: to.Ptr(armnetwork.NatGatewaySKUNameStandard)},
					Properties: &armnetwork.NatGatewayPropertiesFormat{
						PublicIPAddresses: []*armnetwork.SubResource{{ID: address.ID}},
					},
				}, nil)
			})
			return resp.NatGateway, err
		},
	})
	return azure.Value(gateway.ID), err
}
