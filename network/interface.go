package network

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/ensure"
	"github.com/azlin-dev/azlin/errkind"
)

// Interface describes a network interface of a new VM.
type Interface struct {
	Name          string
	VM            string                      // id of the VM
	Subnet        string                      // id
	SecurityGroup string                      // id
	Address       *armnetwork.PublicIPAddress // nil: none
	Accelerated   bool                        // accelerated networking
}

// EnsureInterface returns a VM's network interface (networkInterfaces/createOrUpdate). One that another VM uses is a
// Conflict.
func (s *Service) EnsureInterface(ctx context.Context, p Place, i Interface) (*armnetwork.Interface, error) {
	nic, _, err := ensure.Ensure(ctx, s.azure, ensure.Resource[armnetwork.Interface]{
		Kind: "network interface", Name: i.Name, ID: s.id(p.Group, "networkInterfaces", i.Name), Region: p.Region, Advice: advice, Report: p.Report, Left: p.Left,
		Get: func(ctx context.Context) (armnetwork.Interface, error) {
			resp, err := s.azure.NICs().Get(ctx, p.Group, i.Name, nil)
			return resp.Interface, err
		},
		Read: func(m *armnetwork.Interface) ensure.Existing {
			return ensure.Existing{ID: azure.Value(m.ID), Location: azure.Value(m.Location), Tags: m.Tags}
		},
		Judge: func(m *armnetwork.Interface) error {
			if by := azure.NICUsedBy(m); by != "" && !azure.SameID(by, i.VM) {
				return errkind.New(errkind.Conflict, "%s uses it", by)
			}
			return nil
		},
		Create: func(ctx context.Context) (armnetwork.Interface, error) {
			resp, err := azure.Run(ctx, s.azure, "create network interface", i.Name, func(ctx context.Context) (*runtime.Poller[armnetwork.InterfacesClientCreateOrUpdateResponse], error) {
				return s.azure.NICs().BeginCreateOrUpdate(ctx, p.Group, i.Name, armnetwork.Interface{
					Location: new(p.Region), Tags: azure.SDKTags(p.Tags), Properties: i.properties(),
				}, nil)
			})
			return resp.Interface, err
		},
	})
	return &nic, err
}

func (i Interface) properties() *armnetwork.InterfacePropertiesFormat {
	cfg := &armnetwork.InterfaceIPConfigurationPropertiesFormat{
		Primary: new(true), Subnet: &armnetwork.Subnet{ID: new(i.Subnet)},
		PrivateIPAllocationMethod: to.Ptr(armnetwork.IPAllocationMethodDynamic),
	}
	if i.Address != nil {
		cfg.PublicIPAddress = &armnetwork.PublicIPAddress{ID: i.Address.ID}
	}
	p := &armnetwork.InterfacePropertiesFormat{
		IPConfigurations:     []*armnetwork.InterfaceIPConfiguration{{Name: new("ipconfig1"), Properties: cfg}},
		NetworkSecurityGroup: &armnetwork.SecurityGroup{ID: new(i.SecurityGroup)},
	}
	if i.Accelerated {
		p.EnableAcceleratedNetworking = new(true)
	}
	return p
}
