package bastion_test

import (
	"errors"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/bastion"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
)

func (l *lab) reaching(vnet, want string) {
	l.Helper()
	b, err := l.bastions.Reaching(l.Context(), vnet)
	if err != nil {
		l.Fatal(err)
	}
	got := ""
	if b != nil {
		got = b.Name
	}
	if got != want {
		l.Errorf("network %s is reached by %q, want %q", vnet, got, want)
	}
}

func TestReaching(t *testing.T) {
	t.Parallel()
	l := newLab(t, emulator.Options{})
	own, hub, spoke := l.vnet("own", "10.1.0.0/16"), l.vnet("hub", "10.2.0.0/16"), l.vnet("spoke", "10.3.0.0/16", "hub")
	lonely := l.vnet("lonely", "10.4.0.0/16")

	before := l.azure.Requests()
	l.reaching(own, "")
	if n := l.azure.Requests() - before; n != 1 {
		t.Errorf("%d requests without any Bastion, want 1", n)
	}
	l.bastion("in-own", own, bastion.Standard)
	l.bastion("in-hub", hub, bastion.Premium)
	before = l.azure.Requests()
	l.reaching(own, "in-own")
	l.reaching(own+"/subnets/vms", "in-own")
	if n := l.azure.Requests() - before; n != 2 {
		t.Errorf("%d requests for two networks with a Bastion, want one each", n)
	}
	before = l.azure.Requests()
	l.reaching(spoke, "in-hub")
	if n := l.azure.Requests() - before; n != 2 {
		t.Errorf("%d requests for a network whose peer has a Bastion, want 2", n)
	}
	l.reaching(lonely, "")

	// One side of a peering is not enough.
	half := l.vnet("half", "10.5.0.0/16")
	l.peer("half", "hub")
	l.reaching(half, "")
	l.peer("hub", "half")
	l.reaching(half, "in-hub")
}

func TestDeveloperReachesItsOwnNetworkOnly(t *testing.T) {
	t.Parallel()
	l := newLab(t, emulator.Options{})
	hub, spoke := l.vnet("hub", "10.2.0.0/16"), l.vnet("spoke", "10.3.0.0/16", "hub")
	b := l.bastion("dev", hub, bastion.Developer)
	if b.VNet == "" || b.Subnet != "" || b.DNSName == "" {
		t.Errorf("Developer: %+v", b)
	}
	l.reaching(hub, "dev")
	l.reaching(spoke, "")
}

func TestUnusableBastionsAreNotChosen(t *testing.T) {
	t.Parallel()
	l := newLab(t, emulator.Options{})
	basic, off := l.vnet("basic", "10.1.0.0/16"), l.vnet("off", "10.2.0.0/16")
	l.bastion("b", basic, bastion.Basic)
	l.bastion("o", off, bastion.Standard, func(p *armnetwork.BastionHostPropertiesFormat) { p.EnableTunneling = new(false) })
	for _, vnet := range []string{basic, off} {
		l.reaching(vnet, "")
		in, err := l.bastions.InReach(t.Context(), vnet)
		if err != nil || len(in) != 1 {
			t.Fatalf("in reach of %s: %v %v", vnet, in, err)
		}
		if err := in[0].Usable(); !errors.Is(err, bastion.ErrUnusable) || errkind.Of(err) != errkind.Conflict {
			t.Errorf("%s is usable: %v", in[0].Name, err)
		}
	}
}
