package emulator_test

import (
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/emulator"
)

// TestPeerings takes two networks through a peering and out of it.
func TestPeerings(t *testing.T) {
	t.Parallel()
	l := newBastionLab(t, emulator.Options{})
	ctx := t.Context()
	client := must(armnetwork.NewVirtualNetworkPeeringsClient(l.e.Identity().SubscriptionID, l.cred, l.opt))
	vnet := func(name, space, subnet string) string {
		id, _, _ := strings.Cut(l.bastionNet(name, space, "vms", subnet), "/subnets/")
		return id
	}
	hub, spoke := vnet("hub", "10.1.0.0/16", "10.1.0.0/24"), vnet("spoke", "10.2.0.0/16", "10.2.0.0/24")
	twin := vnet("twin", "10.1.128.0/17", "10.1.128.0/24")
	body := func(remote string) armnetwork.VirtualNetworkPeering {
		return armnetwork.VirtualNetworkPeering{Properties: &armnetwork.VirtualNetworkPeeringPropertiesFormat{
			RemoteVirtualNetwork: &armnetwork.SubResource{ID: &remote}, AllowVirtualNetworkAccess: new(true),
		}}
	}
	put := func(from, name, remote string) armnetwork.VirtualNetworkPeering {
		t.Helper()
		return finish[armnetwork.VirtualNetworkPeeringsClientCreateOrUpdateResponse](l.lab)(client.BeginCreateOrUpdate(ctx, group, from, name, body(remote), nil)).VirtualNetworkPeering
	}
	state := func(from, name string) armnetwork.VirtualNetworkPeeringState {
		t.Helper()
		return *must(client.Get(ctx, group, from, name, nil)).Properties.PeeringState
	}
	first := put("hub", "to-spoke", spoke)
	if *first.Properties.PeeringState != armnetwork.VirtualNetworkPeeringStateInitiated || *first.Properties.RemoteAddressSpace.AddressPrefixes[0] != "10.2.0.0/16" {
		t.Errorf("one side: %+v", first.Properties)
	}
	put("spoke", "to-hub", hub)
	if a, b := state("hub", "to-spoke"), state("spoke", "to-hub"); a != armnetwork.VirtualNetworkPeeringStateConnected || b != a {
		t.Errorf("both sides: %s and %s", a, b)
	}
	page, err := client.NewListPager(group, "hub", nil).NextPage(ctx)
	if err != nil || len(page.Value) != 1 || *page.Value[0].Name != "to-spoke" {
		t.Errorf("list: %v, %v", page.Value, err)
	}
	in := must(l.vnets.Get(ctx, group, "hub", nil))
	if ps := in.Properties.VirtualNetworkPeerings; len(ps) != 1 || *ps[0].Properties.PeeringState != armnetwork.VirtualNetworkPeeringStateConnected {
		t.Errorf("in the network: %+v", ps)
	}
	for name, test := range map[string]struct{ from, name, remote, code string }{
		"overlapping networks":     {"hub", "to-twin", twin, "VnetAddressSpacesOverlap"},
		"itself":                   {"hub", "to-hub", hub, "VnetCannotBePeeredWithItself"},
		"a second one":             {"hub", "again", spoke, "AnotherPeeringAlreadyReferencesRemoteVnet"},
		"a network that is not":    {"hub", "nowhere", hub + "x", "InvalidResourceReference"},
		"a network without a side": {"nosuch", "x", hub, "ResourceNotFound"},
	} {
		refused(t, name, test.code, func() error {
			_, err := client.BeginCreateOrUpdate(ctx, group, test.from, test.name, body(test.remote), nil)
			return err
		})
	}
	refused(t, "a peering that is not there", "NotFound", func() error { _, err := client.Get(ctx, group, "hub", "nosuch", nil); return err })
	finish[armnetwork.VirtualNetworkPeeringsClientDeleteResponse](l.lab)(client.BeginDelete(ctx, group, "spoke", "to-hub", nil))
	if got := state("hub", "to-spoke"); got != armnetwork.VirtualNetworkPeeringStateDisconnected {
		t.Errorf("after one side is gone: %s", got)
	}
	again := func() error {
		_, err := client.BeginCreateOrUpdate(ctx, group, "spoke", "to-hub", body(hub), nil)
		return err
	}
	refused(t, "one side again", "RemotePeeringIsDisconnected", again)
	put("hub", "to-spoke", spoke)
	put("spoke", "to-hub", hub)
	if a, b := state("hub", "to-spoke"), state("spoke", "to-hub"); a != armnetwork.VirtualNetworkPeeringStateConnected || b != a {
		t.Errorf("both sides again: %s and %s", a, b)
	}
}
