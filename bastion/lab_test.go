package bastion_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/bastion"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/test/local"
)

func TestMain(m *testing.M) {
	emulator.HostMain()
	os.Exit(m.Run())
}

const (
	group  = "azlin-rg"
	region = "westus2"
)

// lab is a local Azure with a client in front of it.
type lab struct {
	*testing.T
	*local.Azure
	azure    *azure.Client
	bastions *bastion.Service
}

func newLab(t *testing.T, o emulator.Options, change ...func(*azure.Options, *bastion.Options)) *lab {
	t.Helper()
	l := &lab{T: t, Azure: local.New(t, o)}
	l.azure, l.bastions = l.open(change...)
	if _, err := l.azure.ResourceGroups().CreateOrUpdate(t.Context(), group, armresources.ResourceGroup{Location: new(region)}, nil); err != nil {
		t.Fatal(err)
	}
	return l
}

// open is what a new process does: another client, and nothing remembered.
func (l *lab) open(change ...func(*azure.Options, *bastion.Options)) (*azure.Client, *bastion.Service) {
	l.Helper()
	b := bastion.Options{HTTP: l.Emulator.Client()}
	c := l.Client(func(o *azure.Options) {
		for _, f := range change {
			f(o, &b)
		}
	})
	s, err := bastion.New(c, b)
	if err != nil {
		l.Fatal(err)
	}
	return c, s
}

// must sees an operation through.
func must[T any](l *lab) func(*runtime.Poller[T], error) T {
	return func(p *runtime.Poller[T], err error) T {
		l.Helper()
		if err != nil {
			l.Fatal(err)
		}
		r, err := p.PollUntilDone(l.Context(), nil)
		if err != nil {
			l.Fatal(err)
		}
		return r
	}
}

func (l *lab) id(typeAndNames ...string) string {
	return azure.NewID(l.azure.SubscriptionID(), group, "Microsoft.Network", typeAndNames...).String()
}

// vnet makes a network with a subnet for VMs and one for a Bastion, peered with others that are there.
func (l *lab) vnet(name, space string, peers ...string) string {
	l.Helper()
	subnet := func(name, prefix string) *armnetwork.Subnet {
		return &armnetwork.Subnet{Name: new(name), Properties: &armnetwork.SubnetPropertiesFormat{AddressPrefix: new(prefix)}}
	}
	prefix := strings.TrimSuffix(space, ".0.0/16")
	v := must[armnetwork.VirtualNetworksClientCreateOrUpdateResponse](l)(l.azure.VNets().BeginCreateOrUpdate(l.Context(), group, name, armnetwork.VirtualNetwork{
		Location: new(region),
		Properties: &armnetwork.VirtualNetworkPropertiesFormat{
			AddressSpace: &armnetwork.AddressSpace{AddressPrefixes: []*string{new(space)}},
			Subnets:      []*armnetwork.Subnet{subnet("vms", prefix+".0.0/24"), subnet("AzureBastionSubnet", prefix+".255.0/26")},
		},
	}, nil))
	for _, p := range peers {
		l.peer(name, p)
		l.peer(p, name)
	}
	return *v.ID
}

// peer makes one side of a peering.
func (l *lab) peer(from, to string) {
	l.Helper()
	_, err := l.azure.DoOperation(l.Context(), "PUT", l.id("virtualNetworks", from, "virtualNetworkPeerings", to), "2024-05-01", map[string]any{
		"properties": map[string]any{"remoteVirtualNetwork": map[string]any{"id": l.id("virtualNetworks", to)}, "allowVirtualNetworkAccess": true},
	}, nil)
	if err != nil {
		l.Fatal(err)
	}
}

// bastion makes a Bastion in a network.
func (l *lab) bastion(name, vnet, sku string, change ...func(*armnetwork.BastionHostPropertiesFormat)) bastion.Bastion {
	l.Helper()
	props := &armnetwork.BastionHostPropertiesFormat{}
	if sku == bastion.Developer {
		props.VirtualNetwork = &armnetwork.SubResource{ID: new(vnet)}
	} else {
		ip := must[armnetwork.PublicIPAddressesClientCreateOrUpdateResponse](l)(l.azure.PublicIPs().BeginCreateOrUpdate(l.Context(), group, name+"-ip", armnetwork.PublicIPAddress{
			Location: new(region), SKU: &armnetwork.PublicIPAddressSKU{Name: new(armnetwork.PublicIPAddressSKUNameStandard)},
			Properties: &armnetwork.PublicIPAddressPropertiesFormat{PublicIPAllocationMethod: new(armnetwork.IPAllocationMethodStatic)},
		}, nil))
		props.EnableTunneling = new(sku != bastion.Basic)
		props.IPConfigurations = []*armnetwork.BastionHostIPConfiguration{{Name: new("c"), Properties: &armnetwork.BastionHostIPConfigurationPropertiesFormat{
			Subnet: &armnetwork.SubResource{ID: new(vnet + "/subnets/AzureBastionSubnet")}, PublicIPAddress: &armnetwork.SubResource{ID: ip.ID},
		}}}
	}
	for _, f := range change {
		f(props)
	}
	must[armnetwork.BastionHostsClientCreateOrUpdateResponse](l)(l.azure.Bastions().BeginCreateOrUpdate(l.Context(), group, name, armnetwork.BastionHost{
		Location: new(region), SKU: &armnetwork.SKU{Name: new(armnetwork.BastionHostSKUName(sku))}, Properties: props,
	}, nil))
	b, err := l.bastions.Get(context.WithoutCancel(l.Context()), group, name)
	if err != nil {
		l.Fatal(err)
	}
	return b
}
