package bastion_test

import (
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/bastion"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
)

// plainVNet makes a network without a subnet for a Bastion.
func (l *lab) plainVNet(name, space, subnet string) string {
	l.Helper()
	v := must[armnetwork.VirtualNetworksClientCreateOrUpdateResponse](l)(l.azure.VNets().BeginCreateOrUpdate(l.Context(), group, name, armnetwork.VirtualNetwork{
		Location: new(region),
		Properties: &armnetwork.VirtualNetworkPropertiesFormat{
			AddressSpace: &armnetwork.AddressSpace{AddressPrefixes: []*string{new(space)}},
			Subnets:      []*armnetwork.Subnet{{Name: new("vms"), Properties: &armnetwork.SubnetPropertiesFormat{AddressPrefix: new(subnet)}}},
		},
	}, nil))
	return *v.ID
}

func (l *lab) create(o bastion.CreateOptions) (bastion.Bastion, error) {
	plan, err := l.bastions.PlanCreate(l.Context(), o)
	if err != nil {
		return bastion.Bastion{}, err
	}
	return l.bastions.Create(l.Context(), plan, nil)
}

func (l *lab) delete(name string) (bastion.DeletePlan, error) {
	plan, err := l.bastions.PlanDelete(l.Context(), group, name)
	if err != nil {
		return plan, err
	}
	return plan, l.bastions.Delete(l.Context(), plan, nil)
}

// TestCreateAndDelete takes a Bastion through its life at Azure's pace, in virtual time.
func TestCreateAndDelete(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Options{Realistic: true})
		vnet := l.plainVNet("net", "10.7.0.0/16", "10.7.0.0/20")
		before := l.Emulator.Counts().Resources
		plan, err := l.bastions.PlanCreate(t.Context(), bastion.CreateOptions{VNet: vnet, Owner: "ann"})
		if err != nil {
			t.Fatal(err)
		}
		if plan.NewSubnet != netip.MustParsePrefix("10.7.255.192/26") || plan.Name != "net-bastion" || plan.SKU != bastion.Standard || !plan.NewPublicIP {
			t.Errorf("plan %+v", plan)
		}
		if after := l.Emulator.Counts().Resources; after["Microsoft.Network/publicIPAddresses"] != before["Microsoft.Network/publicIPAddresses"] {
			t.Error("the plan made something")
		}
		var steps []string
		began := time.Now()
		b, err := l.bastions.Create(t.Context(), plan, func(step string) { steps = append(steps, step) })
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 6*time.Minute || took > 10*time.Minute {
			t.Errorf("it took %s", took)
		}
		if b.Usable() != nil || !b.Managed || b.SKU != bastion.Standard || len(steps) != 3 {
			t.Errorf("created %+v in %q", b, steps)
		}
		l.reaching(vnet, "net-bastion")

		// What it uses cannot go before it.
		if _, err := l.azure.PublicIPs().BeginDelete(t.Context(), group, "net-bastion-ip", nil); azure.Code(azure.Wrap("", "", err)) != "PublicIPAddressCannotBeDeleted" {
			t.Errorf("its address: %v", err)
		}
		if _, err := l.azure.Subnets().BeginDelete(t.Context(), group, "net", bastion.SubnetName, nil); azure.Code(azure.Wrap("", "", err)) != "InUseSubnetCannotBeDeleted" {
			t.Errorf("its subnet: %v", err)
		}
		gone, err := l.delete("net-bastion")
		if err != nil || len(gone.Items) != 3 || len(gone.Kept) != 0 {
			t.Fatalf("deleted %+v: %v", gone, err)
		}
		l.reaching(vnet, "")
		v, err := l.azure.VNets().Get(t.Context(), group, "net", nil)
		if err != nil || len(v.Properties.Subnets) != 1 {
			t.Errorf("subnets left: %d, %v", len(v.Properties.Subnets), err)
		}
		if c := l.Emulator.Counts().Resources; c["Microsoft.Network/publicIPAddresses"]+c["Microsoft.Network/bastionHosts"] != 0 {
			t.Errorf("left over: %v", c)
		}
	})
}

func TestCreateDeveloper(t *testing.T) {
	t.Parallel()
	l := newLab(t, emulator.Options{})
	vnet := l.plainVNet("net", "10.7.0.0/16", "10.7.0.0/16")
	b, err := l.create(bastion.CreateOptions{VNet: vnet, SKU: "developer", Name: "free"})
	if err != nil || b.SKU != bastion.Developer || b.Usable() != nil {
		t.Fatalf("%+v %v", b, err)
	}
	if plan, err := l.delete("free"); err != nil || len(plan.Items) != 1 {
		t.Errorf("deleted %+v: %v", plan, err)
	}
}

func TestForeignPartsStay(t *testing.T) {
	t.Parallel()
	l := newLab(t, emulator.Options{})
	l.bastion("theirs", l.vnet("net", "10.1.0.0/16"), bastion.Standard)
	plan, err := l.delete("theirs")
	if err != nil || len(plan.Items) != 1 || len(plan.Kept) != 2 {
		t.Errorf("%+v %v", plan, err)
	}
}

func TestCreateIsRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	l := newLab(t, emulator.Options{})
	taken, full, small := l.vnet("taken", "10.1.0.0/16"), l.plainVNet("full", "10.2.0.0/16", "10.2.0.0/16"), l.plainVNet("small", "10.3.0.0/16", "10.3.0.0/24")
	l.bastion("there", taken, bastion.Basic)
	for name, test := range map[string]struct {
		o    bastion.CreateOptions
		kind errkind.Kind
		text string
	}{
		"a network with one":     {bastion.CreateOptions{VNet: taken}, errkind.Conflict, "bastion there (Basic) already"},
		"its name":               {bastion.CreateOptions{VNet: small, Name: "there"}, errkind.Conflict, "exists already"},
		"no room":                {bastion.CreateOptions{VNet: full}, errkind.Capacity, "no free /26"},
		"a small subnet":         {bastion.CreateOptions{VNet: small, SubnetPrefix: netip.MustParsePrefix("10.3.9.0/27")}, errkind.Invalid, "/26 or larger"},
		"a subnet elsewhere":     {bastion.CreateOptions{VNet: small, SubnetPrefix: netip.MustParsePrefix("10.9.9.0/26")}, errkind.Invalid, "not in the network's"},
		"an overlapping subnet":  {bastion.CreateOptions{VNet: small, SubnetPrefix: netip.MustParsePrefix("10.3.0.0/26")}, errkind.Conflict, "overlaps"},
		"a crooked subnet":       {bastion.CreateOptions{VNet: small, SubnetPrefix: netip.MustParsePrefix("10.3.9.1/26")}, errkind.Invalid, "the network is 10.3.9.0/26"},
		"Basic":                  {bastion.CreateOptions{VNet: small, SKU: bastion.Basic}, errkind.Invalid, "no tunnels"},
		"no such SKU":            {bastion.CreateOptions{VNet: small, SKU: "gold"}, errkind.Invalid, "no bastion SKU"},
		"Developer's IP-connect": {bastion.CreateOptions{VNet: small, SKU: bastion.Developer, IPConnect: true}, errkind.Invalid, "no IP-connect"},
		"a name":                 {bastion.CreateOptions{VNet: small, Name: "-x"}, errkind.Invalid, "begin with"},
		"no such network":        {bastion.CreateOptions{VNet: small + "x"}, errkind.NotFound, "not found"},
	} {
		_, err := l.create(test.o)
		if errkind.Of(err) != test.kind || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: want %s with %q, got %s: %v", name, test.kind, test.text, errkind.Of(err), err)
		}
	}
	if n := l.Emulator.Counts().Resources["Microsoft.Network/bastionHosts"]; n != 1 {
		t.Errorf("%d bastions", n)
	}
}

// cutting is a transport that fails one request.
type cutting struct {
	http.RoundTripper
	cut func(*http.Request) bool
}

func (c cutting) RoundTrip(r *http.Request) (*http.Response, error) {
	if c.cut(r) {
		return &http.Response{
			StatusCode: http.StatusConflict, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
			Body: io.NopCloser(strings.NewReader(`{"error":{"code":"Refused","message":"not now"}}`)),
		}, nil
	}
	return c.RoundTripper.RoundTrip(r)
}

// TestCreateGoesOn has Azure refuse the Bastion itself: what was made is named, and used by the next attempt.
func TestCreateGoesOn(t *testing.T) {
	t.Parallel()
	refuse := true
	l := newLab(t, emulator.Options{}, func(o *azure.Options, _ *bastion.Options) {
		hc := *o.HTTP
		hc.Transport = cutting{o.HTTP.Transport, func(r *http.Request) bool {
			return refuse && r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/bastionHosts/")
		}}
		o.HTTP = &hc
	})
	vnet := l.plainVNet("net", "10.7.0.0/16", "10.7.0.0/20")
	_, err := l.create(bastion.CreateOptions{VNet: vnet})
	e, ok := errors.AsType[*errkind.Error](err)
	if !ok || len(e.LeftOver) != 2 {
		t.Fatalf("left over: %+v", e)
	}
	refuse = false
	plan, err := l.bastions.PlanCreate(t.Context(), bastion.CreateOptions{VNet: vnet})
	if err != nil || plan.NewPublicIP || plan.NewSubnet.IsValid() {
		t.Fatalf("the second plan: %+v, %v", plan, err)
	}
	if _, err := l.bastions.Create(t.Context(), plan, nil); err != nil {
		t.Fatal(err)
	}
	if gone, err := l.delete("net-bastion"); err != nil || len(gone.Items) != 3 {
		t.Errorf("deleted %+v: %v", gone, err)
	}
}
