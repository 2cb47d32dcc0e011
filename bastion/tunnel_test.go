package bastion_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/bastion"
	"github.com/azlin-dev/azlin/errkind"
)

// shell opens a tunnel and runs a command behind it.
func (p private) shell(b bastion.Bastion, t bastion.Target, command string) (string, error) {
	conn, err := p.bastions.Dial(p.Context(), b, t)
	if err != nil {
		return "", err
	}
	return run(conn, p.signer, command)
}

func TestTunnelToAPrivateVM(t *testing.T) {
	t.Parallel()
	p := newPrivate(t)
	ip := func(props *armnetwork.BastionHostPropertiesFormat) { props.EnableIPConnect = new(true) }
	b := p.bastion("hub", p.vnet, bastion.Standard, ip)
	out, err := p.shell(b, bastion.Target{VM: p.vm}, "hostname; echo $SSH_CLIENT; echo $SSH_CONNECTION")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out, "\n")
	if lines[0] != "box" || !strings.HasPrefix(lines[1], "10.1.255.4 ") || !strings.HasSuffix(lines[2], " "+p.address+" 22") {
		t.Errorf("the VM saw %q", out)
	}
	out, err = p.shell(b, bastion.Target{IP: netip.MustParseAddr(p.address)}, "hostname")
	if err != nil || out != "box" {
		t.Errorf("by its address: %q %v", out, err)
	}
	// A lot of data, both ways.
	out, err = p.shell(b, bastion.Target{VM: p.vm}, "head -c 3000000 /dev/zero | tr '\\0' x | wc -c; head -c 3000000 /dev/zero | tr '\\0' x")
	if err != nil || len(out) != len("3000000\n")+3000000 {
		t.Errorf("%d bytes, %v", len(out), err)
	}
}

func TestDeveloperTunnel(t *testing.T) {
	t.Parallel()
	p := newPrivate(t)
	b := p.bastion("dev", p.vnet, bastion.Developer)
	out, err := p.shell(b, bastion.Target{VM: p.vm}, "hostname; echo $SSH_CLIENT")
	if err != nil || !strings.HasPrefix(out, "box\n168.63.129.16 ") {
		t.Errorf("got %q, %v", out, err)
	}
	if _, err := p.bastions.Dial(t.Context(), b, bastion.Target{VM: p.vm, Port: 8080}); errkind.Of(err) != errkind.Invalid {
		t.Errorf("another port: %v", err)
	}
}

// TestTunnelRefusals opens tunnels that must not open.
func TestTunnelRefusals(t *testing.T) {
	t.Parallel()
	p := newPrivate(t)
	b := p.bastion("hub", p.vnet, bastion.Standard)
	elsewhere := p.lab.vnet("elsewhere", "10.9.0.0/16")
	stranger, _ := p.privateVM("stranger", elsewhere, p.signer.PublicKey())
	// Told by what Azure says about the Bastion, with nothing sent; and by the Bastion, when that was wrong.
	lying := b
	lying.IPConnect = true
	basic := p.bastion("basic", elsewhere, bastion.Basic)
	basicLying := basic
	basicLying.SKU, basicLying.Tunneling = bastion.Standard, true
	for name, test := range map[string]struct {
		b    bastion.Bastion
		t    bastion.Target
		kind errkind.Kind
		text string
	}{
		"another network":                 {b, bastion.Target{VM: stranger}, errkind.Permission, "not in a virtual network"},
		"no such VM":                      {b, bastion.Target{VM: p.vm + "x"}, errkind.NotFound, "was not found"},
		"IP-connect is off":               {b, bastion.Target{IP: netip.MustParseAddr(p.address)}, errkind.Conflict, "IP-connect is off"},
		"IP-connect is off, says Bastion": {lying, bastion.Target{IP: netip.MustParseAddr(p.address)}, errkind.Permission, "not enabled"},
		"a Basic SKU":                     {basic, bastion.Target{VM: stranger}, errkind.Conflict, "Basic"},
		"a Basic SKU, says Bastion":       {basicLying, bastion.Target{VM: stranger}, errkind.Permission, "Standard SKU"},
		"no target":                       {b, bastion.Target{}, errkind.Invalid, "no VM"},
		"a host that is none":             {bastion.Bastion{Name: "x", SKU: bastion.Standard, Tunneling: true, DNSName: "a/b@c"}, bastion.Target{VM: p.vm}, errkind.Invalid, "not a host"},
		"a Bastion that does not answer":  {bastion.Bastion{Name: "x", SKU: bastion.Standard, Tunneling: true, DNSName: "127.77.0.1"}, bastion.Target{VM: p.vm}, errkind.NotFound, "404"},
		"a port that is out of range":     {b, bastion.Target{VM: p.vm, Port: 70000}, errkind.Invalid, "not a port"},
		"a Bastion that is still made":    {bastion.Bastion{Name: "x", SKU: bastion.Standard, Tunneling: true}, bastion.Target{VM: p.vm}, errkind.Conflict, "still being made"},
	} {
		conn, err := p.bastions.Dial(t.Context(), test.b, test.t)
		if err == nil {
			_ = conn.Close()
			t.Errorf("%s: a tunnel opened", name)
			continue
		}
		if errkind.Of(err) != test.kind || !strings.Contains(err.Error(), test.text) || !errors.Is(err, bastion.ErrTunnel) && !errors.Is(err, bastion.ErrUnusable) {
			t.Errorf("%s: want %s with %q, got %s: %v", name, test.kind, test.text, errkind.Of(err), err)
		}
		if strings.Contains(err.Error(), "eyJ") {
			t.Errorf("%s: the error holds a token: %v", name, err)
		}
	}
}

// TestUnreachableVM has the Bastion try a VM that does not answer.
func TestUnreachableVM(t *testing.T) {
	t.Parallel()
	p := newPrivate(t)
	ctx := t.Context()
	b := p.bastion("hub", p.vnet, bastion.Standard)
	closed := func(what string) {
		t.Helper()
		_, err := p.shell(b, bastion.Target{VM: p.vm}, "true")
		if errkind.Of(err) != errkind.Unreachable || !errors.Is(err, bastion.ErrTunnel) {
			t.Errorf("%s: %s: %v", what, errkind.Of(err), err)
		}
	}
	open := func(what string) {
		t.Helper()
		if _, err := p.shell(b, bastion.Target{VM: p.vm}, "true"); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	protect := func(source string) {
		t.Helper()
		nsg := must[armnetwork.SecurityGroupsClientCreateOrUpdateResponse](p.lab)(p.azure.NSGs().BeginCreateOrUpdate(ctx, group, "nsg", armnetwork.SecurityGroup{
			Location: new(region), Properties: &armnetwork.SecurityGroupPropertiesFormat{SecurityRules: []*armnetwork.SecurityRule{{
				Name: new("ssh"), Properties: &armnetwork.SecurityRulePropertiesFormat{
					Priority: new(int32(1000)), Direction: new(armnetwork.SecurityRuleDirectionInbound), Access: new(armnetwork.SecurityRuleAccessDeny),
					Protocol: new(armnetwork.SecurityRuleProtocolTCP), SourcePortRange: new("*"), DestinationPortRange: new("22"),
					SourceAddressPrefix: new(source), DestinationAddressPrefix: new("*"),
				},
			}}},
		}, nil))
		nic, err := p.azure.NICs().Get(ctx, group, "box-nic", nil)
		if err != nil {
			t.Fatal(err)
		}
		nic.Properties.NetworkSecurityGroup = &armnetwork.SecurityGroup{ID: nsg.ID}
		must[armnetwork.InterfacesClientCreateOrUpdateResponse](p.lab)(p.azure.NICs().BeginCreateOrUpdate(ctx, group, "box-nic", nic.Interface, nil))
	}
	open("no security group")
	protect("10.1.255.0/26")
	closed("a rule denies the Bastion's subnet")
	protect("203.0.113.0/24")
	open("a rule denies somebody else")
	protect("VirtualNetwork")
	closed("a rule denies the network")
	protect("203.0.113.0/24")
	must[armcompute.VirtualMachinesClientDeallocateResponse](p.lab)(p.azure.VMs().BeginDeallocate(ctx, group, "box", nil))
	closed("stopped")
	must[armcompute.VirtualMachinesClientStartResponse](p.lab)(p.azure.VMs().BeginStart(ctx, group, "box", nil))
	open("started again")
}

// TestPeeredNetwork reaches a VM in a network that is peered with the Bastion's, until it no longer is.
func TestPeeredNetwork(t *testing.T) {
	t.Parallel()
	p := newPrivate(t)
	b := p.bastion("hub", p.lab.vnet("hub", "10.8.0.0/16", "net"), bastion.Standard)
	found, err := p.bastions.Reaching(t.Context(), p.vnet)
	if err != nil || found == nil || found.ID != b.ID {
		t.Fatalf("found %+v, %v", found, err)
	}
	if out, err := p.shell(*found, bastion.Target{VM: p.vm}, "hostname; echo $SSH_CLIENT"); err != nil || !strings.HasPrefix(out, "box\n10.8.255.4 ") {
		t.Errorf("%q %v", out, err)
	}
	if _, err := p.azure.DoOperation(t.Context(), "DELETE", p.id("virtualNetworks", "hub", "virtualNetworkPeerings", "net"), "2024-05-01", nil, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := p.shell(*found, bastion.Target{VM: p.vm}, "true"); errkind.Of(err) != errkind.Permission {
		t.Errorf("after the peering: %v", err)
	}
}
