package reach_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"
	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/bastion"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/fault"
	"github.com/azlin-dev/azlin/emulator/host"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/remote/knownhosts"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/vm"
)

func TestMain(m *testing.M) {
	emulator.HostMain()
	os.Exit(m.Run())
}

const (
	group  = "azlin-rg"
	region = "westus2"
)

// lab is a local Azure with a private VM.
type lab struct {
	*testing.T
	azure  *azure.Client
	cloud  *emulator.Emulator
	finder reach.Finder
	vm     vm.Info
	key    string // private, of the VM's user
}

func newLab(t *testing.T) *lab {
	t.Helper()
	a := local.New(t, emulator.Options{Hosts: local.Hosts(t, host.Options{})})
	l := &lab{T: t, cloud: a.Emulator, azure: a.Client()}
	dir := t.TempDir()
	pair, err := keypair.GenerateKeyPair(dir, "key")
	if err != nil {
		t.Fatal(err)
	}
	l.key = pair.Private
	public, err := os.ReadFile(pair.Public)
	if err != nil {
		t.Fatal(err)
	}
	bastions, err := bastion.New(l.azure, bastion.Options{HTTP: a.Emulator.Client()})
	if err != nil {
		t.Fatal(err)
	}
	vms := vm.New(l.azure, vm.Options{})
	l.finder = reach.Finder{
		VMs: vms, KnownHosts: knownhosts.File{Path: filepath.Join(dir, "known_hosts")}, Bastions: bastions, ProxyCommand: func(vmID, bastionID string) []string { return []string{"/bin/azlin", bastionID, vmID} },
	}
	l.machine(strings.TrimSpace(string(public)))
	if l.vm, err = vms.Get(t.Context(), vm.Ref{ResourceGroup: group, Name: "hidden"}); err != nil {
		t.Fatal(err)
	}
	return l
}

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

// machine makes a network and a VM in it that has no public address.
func (l *lab) machine(public string) {
	l.Helper()
	ctx := l.Context()
	if _, err := l.azure.ResourceGroups().CreateOrUpdate(ctx, group, armresources.ResourceGroup{Location: new(region)}, nil); err != nil {
		l.Fatal(err)
	}
	vnet := must[armnetwork.VirtualNetworksClientCreateOrUpdateResponse](l)(l.azure.VNets().BeginCreateOrUpdate(ctx, group, "net", armnetwork.VirtualNetwork{
		Location: new(region), Properties: &armnetwork.VirtualNetworkPropertiesFormat{
			AddressSpace: &armnetwork.AddressSpace{AddressPrefixes: []*string{new("10.1.0.0/16")}},
			Subnets:      []*armnetwork.Subnet{{Name: new("vms"), Properties: &armnetwork.SubnetPropertiesFormat{AddressPrefix: new("10.1.0.0/24")}}},
		},
	}, nil))
	nic := must[armnetwork.InterfacesClientCreateOrUpdateResponse](l)(l.azure.NICs().BeginCreateOrUpdate(ctx, group, "nic", armnetwork.Interface{
		Location: new(region), Properties: &armnetwork.InterfacePropertiesFormat{IPConfigurations: []*armnetwork.InterfaceIPConfiguration{{
			Name: new("c"), Properties: &armnetwork.InterfaceIPConfigurationPropertiesFormat{Subnet: &armnetwork.Subnet{ID: vnet.Properties.Subnets[0].ID}},
		}}},
	}, nil))
	must[armcompute.VirtualMachinesClientCreateOrUpdateResponse](l)(l.azure.VMs().BeginCreateOrUpdate(ctx, group, "hidden", armcompute.VirtualMachine{
		Location: new(region), Properties: &armcompute.VirtualMachineProperties{
			HardwareProfile: &armcompute.HardwareProfile{VMSize: new(armcompute.VirtualMachineSizeTypes("Standard_D2s_v5"))},
			StorageProfile: &armcompute.StorageProfile{
				ImageReference: &armcompute.ImageReference{Publisher: new("Canonical"), Offer: new("ubuntu-24_04-lts"), SKU: new("server"), Version: new("latest")},
				OSDisk:         &armcompute.OSDisk{CreateOption: new(armcompute.DiskCreateOptionTypesFromImage)},
			},
			OSProfile: &armcompute.OSProfile{ComputerName: new("hidden"), AdminUsername: new("azureuser"), LinuxConfiguration: &armcompute.LinuxConfiguration{
				DisablePasswordAuthentication: new(true),
				SSH:                           &armcompute.SSHConfiguration{PublicKeys: []*armcompute.SSHPublicKey{{Path: new("/home/azureuser/.ssh/authorized_keys"), KeyData: &public}}},
			}},
			NetworkProfile:     &armcompute.NetworkProfile{NetworkInterfaces: []*armcompute.NetworkInterfaceReference{{ID: nic.ID}}},
			DiagnosticsProfile: &armcompute.DiagnosticsProfile{BootDiagnostics: &armcompute.BootDiagnostics{Enabled: new(true)}},
		},
	}, nil))
}

func (l *lab) bastion(sku string) bastion.Bastion {
	l.Helper()
	s := l.finder.Bastions
	plan, err := s.PlanCreate(l.Context(), bastion.CreateOptions{VNet: l.vm.Subnet[:strings.Index(l.vm.Subnet, "/subnets/")], SKU: sku, Name: "hub"})
	if err != nil {
		l.Fatal(err)
	}
	b, err := s.Create(l.Context(), plan, nil)
	if err != nil {
		l.Fatal(err)
	}
	return b
}

func TestPrivateVMWithoutABastion(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	_, err := l.finder.Host(t.Context(), l.vm, reach.Options{KeyPath: l.key})
	e, ok := errors.AsType[*errkind.Error](err)
	if !ok || e.Kind != errkind.Unreachable || !errors.Is(err, remote.ErrConnection) || e.Next != (errkind.Step{Action: errkind.CreateBastion, Name: "net", Group: group}) ||
		!strings.Contains(err.Error(), "no public address, and no Bastion reaches its network") {
		t.Errorf("%+v", err)
	}
	if _, err := l.finder.Host(t.Context(), l.vm, reach.Options{Bastion: "nosuch"}); errkind.Of(err) != errkind.NotFound {
		t.Errorf("a Bastion that is not there: %v", err)
	}
	none := l.finder
	none.Bastions = nil
	if _, err := none.Host(t.Context(), l.vm, reach.Options{}); errkind.Of(err) != errkind.Unreachable {
		t.Errorf("without the service: %v", err)
	}
}

// TestPrivateVM connects to a VM without a public address, with its host key known from the serial log.
func TestPrivateVM(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	b := l.bastion(bastion.Standard)
	ctx := t.Context()
	h, err := l.finder.Host(ctx, l.vm, reach.Options{KeyPath: l.key})
	if err != nil {
		t.Fatal(err)
	}
	if h.Via == nil || h.Address != l.vm.PrivateIP || h.HostKey == nil {
		t.Fatalf("host %+v", h)
	}
	if want := []string{"/bin/azlin", b.ID, l.vm.ID}; !equal(h.ProxyCommand, want) {
		t.Errorf("ProxyCommand %q, want %q", h.ProxyCommand, want)
	}
	client, err := remote.WaitForSSH(ctx, h, 10*time.Millisecond, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if code, err := client.Run(ctx, remote.Command{Line: "hostname", Stdout: &out}); err != nil || code != 0 || out.String() != "hidden\n" {
		t.Errorf("%d %v %q", code, err, out.String())
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	if !remote.TestConnection(ctx, h, 0) {
		t.Error("TestConnection says that it does not answer")
	}

	// Another host key is refused behind a Bastion, too.
	other := h
	scanned, err := remote.ScanHostKey(ctx, h)
	if err != nil || string(scanned.Marshal()) != string(h.HostKey.Marshal()) {
		t.Errorf("scanned %v, %v", scanned, err)
	}
	pair, err := keypair.GenerateKeyPair(t.TempDir(), "other")
	if err != nil {
		t.Fatal(err)
	}
	public, err := os.ReadFile(pair.Public)
	if err != nil {
		t.Fatal(err)
	}
	if other.HostKey, _, _, _, err = ssh.ParseAuthorizedKey(public); err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Dial(ctx, other); errkind.Of(err) != errkind.HostKey {
		t.Errorf("another host key: %v", err)
	}
	if named, err := l.finder.Host(ctx, l.vm, reach.Options{Bastion: "HUB", KeyPath: l.key}); err != nil || named.Via == nil {
		t.Errorf("by name: %v", err)
	}
	if _, err := l.finder.Host(ctx, l.vm, reach.Options{Bastion: b.ID, KeyPath: l.key}); err != nil {
		t.Errorf("by id: %v", err)
	}
}

// TestWaitingEndsWhenTheWayIsClosed sees that nobody waits for a VM whose Bastion will not let him through.
func TestWaitingEndsWhenTheWayIsClosed(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.bastion(bastion.Developer)
	h, err := l.finder.Host(t.Context(), l.vm, reach.Options{KeyPath: l.key})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := l.finder.Bastions.PlanDelete(t.Context(), group, "hub")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.finder.Bastions.Delete(t.Context(), plan, nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err = remote.WaitForSSH(ctx, h, 10*time.Millisecond, nil)
	if errkind.Of(err) != errkind.NotFound || ctx.Err() != nil || !errors.Is(err, bastion.ErrTunnel) || !errors.Is(err, remote.ErrConnection) {
		t.Errorf("%s: %v", errkind.Of(err), err)
	}
}

// TestBastionUnderSSHFaults reaches a VM through a Bastion while its SSH server misbehaves.
func TestBastionUnderSSHFaults(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.bastion(bastion.Standard)
	l.finder.Limits = remote.Limits{Handshake: 2 * time.Second, KeepAlive: 200 * time.Millisecond, Unanswered: 3}
	h, err := l.finder.Host(t.Context(), l.vm, reach.Options{KeyPath: l.key})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		rule  fault.Rule
		class error // nil: it works
		says  string
	}{
		{fault.Rule{Effect: fault.SSHRefuse}, remote.ErrConnection, "tunnel to hidden: bastion hub did not get through"},
		{fault.Rule{Effect: fault.SSHHang}, remote.ErrConnection, "no SSH handshake within 2s"},
		{fault.Rule{Effect: fault.SSHFreeze}, remote.ErrConnection, "no SSH handshake within 2s"},
		{fault.Rule{Effect: fault.SSHDrop, Bytes: 1000}, remote.ErrConnection, "the connection ended before the login, 3 times"},
		{fault.Rule{Effect: fault.SSHDrop, Bytes: 20_000}, remote.ErrLost, "the connection was lost; the command may go on there"},
		{fault.Rule{Effect: fault.SSHFreeze, Bytes: 20_000}, remote.ErrLost, "has not answered for 600ms; the command may go on there"},
		{fault.Rule{Effect: fault.SSHDrop, Bytes: 1000, Count: 2}, nil, ""},
		{fault.Rule{Effect: fault.SSHRefuse, Count: 2}, nil, ""},
		{fault.Rule{Effect: fault.SSHDelay, Delay: 20 * time.Millisecond}, nil, ""},
		{fault.Rule{Effect: fault.SSHLimit}, nil, ""},
	} {
		if _, err := l.cloud.AddFault(test.rule); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err := remote.Execute(t.Context(), h, "head -c 40000 /dev/zero", 30*time.Second)
		l.cloud.ClearFaults()
		if took := time.Since(began); took > 15*time.Second {
			t.Errorf("%+v: it took %s", test.rule, took)
		}
		switch {
		case test.class == nil && err != nil:
			t.Errorf("%+v: %v", test.rule, err)
		case test.class != nil && (errkind.Of(err) != errkind.Unreachable || !errors.Is(err, test.class) || !strings.Contains(err.Error(), test.says)):
			t.Errorf("%+v: kind %q: %v", test.rule, errkind.Of(err), err)
		}
	}
}

func TestUnusableBastionIsNamed(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.bastion(bastion.Standard)
	got, err := l.azure.Bastions().Get(t.Context(), group, "hub", nil)
	if err != nil {
		t.Fatal(err)
	}
	got.Properties.EnableTunneling = new(false)
	must[armnetwork.BastionHostsClientCreateOrUpdateResponse](l)(l.azure.Bastions().BeginCreateOrUpdate(t.Context(), group, "hub", got.BastionHost, nil))
	_, err = l.finder.Host(t.Context(), l.vm, reach.Options{})
	if errkind.Of(err) != errkind.Unreachable || !strings.Contains(err.Error(), "use bastion hub") || !strings.Contains(err.Error(), "enableTunneling") {
		t.Errorf("%v", err)
	}
}

func equal(a, b []string) bool { return strings.Join(a, "\x00") == strings.Join(b, "\x00") }
