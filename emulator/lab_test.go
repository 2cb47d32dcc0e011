package emulator_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azarm "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"

	"github.com/azlin-dev/azlin/emulator"
)

func TestMain(m *testing.M) {
	emulator.HostMain()
	serveIfAsked()
	code := m.Run()
	if code == 0 {
		code = asked.judge()
	}
	os.Exit(code)
}

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHDwQ0Uu1rR9rT1p1wOq8r1b1rGq3i0cN4kYw4C6y0Wv test"

// serveEnv makes this test binary a daemon.
const serveEnv = "EMULATOR_TEST_SERVE"

func serveIfAsked() {
	dir, ok := os.LookupEnv(serveEnv)
	if !ok {
		return
	}
	if err := emulator.Serve(context.Background(), emulator.ServeOptions{Dir: dir, NoHosts: true, Log: os.Stderr}); err != nil {
		_, _ = os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
	os.Exit(0)
}

// lab is the official SDK on an emulator.
type lab struct {
	testing.TB
	e      *emulator.Emulator
	cred   azcore.TokenCredential
	opt    *azarm.ClientOptions
	groups *armresources.ResourceGroupsClient
	vms    *armcompute.VirtualMachinesClient
	disks  *armcompute.DisksClient
	vnets  *armnetwork.VirtualNetworksClient
	nsgs   *armnetwork.SecurityGroupsClient
	rules  *armnetwork.SecurityRulesClient
	ips    *armnetwork.PublicIPAddressesClient
	nics   *armnetwork.InterfacesClient
	tags   *armresources.TagsClient
}

func newLab(t testing.TB, o emulator.Options) *lab {
	t.Helper()
	if o.Record == nil {
		o.Record = &asked
	}
	e, err := emulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return connect(t, e, "https://management.azure.com", e.Client(), e.Identity())
}

func connect(t testing.TB, e *emulator.Emulator, base string, hc policy.Transporter, id emulator.Identity) *lab {
	t.Helper()
	cc := azcore.ClientOptions{Transport: hc, Cloud: cloud.Configuration{
		ActiveDirectoryAuthorityHost: base + "/",
		Services:                     map[cloud.ServiceName]cloud.ServiceConfiguration{cloud.ResourceManager: {Endpoint: base, Audience: "https://management.azure.com"}},
	}}
	cred, err := azidentity.NewClientSecretCredential(id.TenantID, id.ClientID, id.ClientSecret, &azidentity.ClientSecretCredentialOptions{ClientOptions: cc, DisableInstanceDiscovery: true})
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{TB: t, e: e, cred: cred, opt: &azarm.ClientOptions{ClientOptions: cc, DisableRPRegistration: true}}
	sub := id.SubscriptionID
	l.groups = must(armresources.NewResourceGroupsClient(sub, cred, l.opt))
	l.vms = must(armcompute.NewVirtualMachinesClient(sub, cred, l.opt))
	l.disks = must(armcompute.NewDisksClient(sub, cred, l.opt))
	l.vnets = must(armnetwork.NewVirtualNetworksClient(sub, cred, l.opt))
	l.nsgs = must(armnetwork.NewSecurityGroupsClient(sub, cred, l.opt))
	l.rules = must(armnetwork.NewSecurityRulesClient(sub, cred, l.opt))
	l.ips = must(armnetwork.NewPublicIPAddressesClient(sub, cred, l.opt))
	l.nics = must(armnetwork.NewInterfacesClient(sub, cred, l.opt))
	l.tags = must(armresources.NewTagsClient(sub, cred, l.opt))
	return l
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

//go:fix inline
func p[T any](v T) *T { return new(v) }

// finish sees an operation through.
func finish[T any](l *lab) func(pl *runtime.Poller[T], err error) T {
	return func(pl *runtime.Poller[T], err error) T {
		l.Helper()
		if err != nil {
			l.Fatal(err)
		}
		r, err := pl.PollUntilDone(l.Context(), nil)
		if err != nil {
			l.Fatal(err)
		}
		return r
	}
}

func contains(s, part string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(part))
}
