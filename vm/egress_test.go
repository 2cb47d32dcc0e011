package vm_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/azure/teardown"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/test/local/lab"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/provision"
)

func privateConfig(name string) provision.Config {
	c := config(name)
	c.Private, c.NATGateway, c.SSHSources = true, true, nil
	return c
}

func provisionPrivate(t *testing.T, s *lab.Services) error {
	t.Helper()
	_, err := s.Provision(t.Context(), privateConfig("dev"), nil)
	return err
}

var privateResources = map[string]int{
	"Microsoft.Resources/resourceGroups": 1, "Microsoft.Compute/virtualMachines": 1, "Microsoft.Compute/disks": 1,
	"Microsoft.Network/networkInterfaces": 1, "Microsoft.Network/publicIPAddresses": 1, "Microsoft.Network/virtualNetworks": 1,
	"Microsoft.Network/networkSecurityGroups": 1, "Microsoft.Network/natGateways": 1,
}

// TestPrivateVM: no public address of its own, a way out through the gateway that the region's private VMs share, and
// nothing that costs money after the last of them.
func TestPrivateVM(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		s, _ := l.Open()
		for _, cfg := range []provision.Config{config("public"), privateConfig("one"), privateConfig("two")} {
			d, err := s.Provision(t.Context(), cfg, nil)
			if err != nil || (d.PublicIP == "") != cfg.Private || d.PrivateIP == "" {
				t.Fatalf("%+v, %v", d, err)
			}
		}
		subnet, err := net(l).Subnet(t.Context(), net(l).SharedSubnetID(group, region, true))
		if err != nil || !subnet.HasEgress() || subnet.NATGateway == "" || subnet.Region != region {
			t.Errorf("%+v, %v", subnet, err)
		}
		if open, err := net(l).Subnet(t.Context(), net(l).SharedSubnetID(group, region, false)); err != nil || open.HasEgress() {
			t.Errorf("the other subnet: %+v, %v", open, err)
		}
		if all, err := net(l).Subnets(t.Context(), subnet.VNet); err != nil || len(all) != 2 {
			t.Errorf("%+v, %v", all, err)
		}
		if _, err := net(l).Subnet(t.Context(), subnet.VNet+"/subnets/none"); errkind.Of(err) != errkind.NotFound {
			t.Errorf("an absent subnet: %v", err)
		}
		sum, err := s.Delete(t.Context(), vm.Ref{ResourceGroup: group, Name: "one"}, vm.DeleteOptions{})
		if err != nil || sum.Err() != nil || !slices.ContainsFunc(sum.Kept, func(k teardown.Kept) bool { return k.ResourceType == "nat-gateway" }) {
			t.Errorf("the first of two: %+v, %v", sum, err)
		}
		plan, err := s.Delete(t.Context(), vm.Ref{ResourceGroup: group, Name: "two"}, vm.DeleteOptions{DryRun: true})
		if err != nil || plan.TotalResources != 7 {
			t.Errorf("the plan for the last: %+v, %v", plan, err)
		}
		sum, err = s.Delete(t.Context(), vm.Ref{ResourceGroup: group, Name: "two"}, vm.DeleteOptions{})
		if err != nil || sum.Err() != nil || sum.DeletedResources != 7 || slices.ContainsFunc(sum.Kept, func(k teardown.Kept) bool { return k.ResourceType == "nat-gateway" }) {
			t.Errorf("the last: %+v, %v", sum, err)
		}
		if n := l.Resources()["Microsoft.Network/natGateways"]; n != 0 {
			t.Errorf("%d gateways are left", n)
		}
		if i, err := s.Get(t.Context(), vm.Ref{ResourceGroup: group, Name: "public"}); err != nil || !i.IsRunning() {
			t.Errorf("%+v, %v", i, err)
		}
	})
}

// TestSubnetOfOursGetsAGateway: somebody made the private subnet's VM without one before.
func TestSubnetOfOursGetsAGateway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		s, _ := l.Open()
		cfg := privateConfig("closed")
		cfg.NATGateway = false
		if _, err := s.Provision(t.Context(), cfg, nil); err != nil {
			t.Fatal(err)
		}
		id := net(l).SharedSubnetID(group, region, true)
		if before, err := net(l).Subnet(t.Context(), id); err != nil || before.HasEgress() {
			t.Fatalf("%+v, %v", before, err)
		}
		if _, err := s.Provision(t.Context(), privateConfig("open"), nil); err != nil {
			t.Fatal(err)
		}
		if after, err := net(l).Subnet(t.Context(), id); err != nil || after.NATGateway == "" {
			t.Errorf("%+v, %v", after, err)
		}
	})
}

func TestPrivateCreateResumesAfterAnyCrash(t *testing.T) {
	t.Parallel()
	atEveryRequest(t, nil, provisionPrivate, func(t *testing.T, l *lab.Lab) {
		t.Helper()
		s, _ := l.Open()
		if err := provisionPrivate(t, s); err != nil {
			t.Fatalf("the second run: %v", err)
		}
		if diff := cmp.Diff(privateResources, l.Resources()); diff != "" {
			t.Error(diff)
		}
		if sub, err := net(l).Subnet(t.Context(), net(l).SharedSubnetID(group, region, true)); err != nil || !sub.HasEgress() {
			t.Errorf("%+v, %v", sub, err)
		}
	})
}

func TestKillAfterAnyCrashOfPrivateCreate(t *testing.T) {
	t.Parallel()
	atEveryRequest(t, nil, provisionPrivate, func(t *testing.T, l *lab.Lab) {
		t.Helper()
		s, _ := l.Open()
		sum, err := s.Delete(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"}, vm.DeleteOptions{})
		if err != nil || sum.Err() != nil {
			t.Fatal(err, sum.Err())
		}
		l.OnlyShared(t)
	})
}

func TestKillAgainAfterAnyCrashOfPrivateKill(t *testing.T) {
	t.Parallel()
	prepare := func(t *testing.T, l *lab.Lab) {
		t.Helper()
		s, _ := l.Open()
		if err := provisionPrivate(t, s); err != nil {
			t.Fatal(err)
		}
	}
	atEveryRequest(t, prepare, killDev, func(t *testing.T, l *lab.Lab) {
		t.Helper()
		s, _ := l.Open()
		if err := killDev(t, s); err != nil {
			t.Fatal(err)
		}
		l.OnlyShared(t)
	})
}

// TestPoolSharesASecurityGroup, which goes with the last VM of the pool, also when they go at the same time, and with
// the first when no other was ever made.
func TestPoolSharesASecurityGroup(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		s, _ := l.Open()
		member := func(n int) provision.Config {
			c := config(vm.PoolName("ci", n, 3))
			c.Pool = "ci"
			return c
		}
		for n := 1; n <= 3; n++ {
			if _, err := s.Provision(t.Context(), member(n), nil); err != nil {
				t.Fatal(err)
			}
		}
		if n := l.Resources()["Microsoft.Network/networkSecurityGroups"]; n != 1 {
			t.Errorf("%d security groups", n)
		}
		sum, err := s.Delete(t.Context(), vm.Ref{ResourceGroup: group, Name: "ci-02"}, vm.DeleteOptions{})
		if err != nil || sum.Err() != nil || l.Resources()["Microsoft.Network/networkSecurityGroups"] != 1 ||
			!slices.ContainsFunc(sum.Kept, func(k teardown.Kept) bool { return k.ResourceType == "nsg" && strings.HasPrefix(k.Reason, "used by") }) {
			t.Errorf("%+v, %v", sum, err)
		}
		// A dry run of all sees what goes with the last of them, as the run itself does.
		isGroup := func(r teardown.Result) bool { return r.ResourceType == "nsg" && r.ResourceName == "ci-nsg" }
		dry, err := s.DeleteAll(t.Context(), group, vm.DeleteOptions{DryRun: true})
		if err != nil || !slices.ContainsFunc(dry.Results, isGroup) ||
			slices.ContainsFunc(dry.Kept, func(k teardown.Kept) bool { return k.ResourceType == "nsg" }) {
			t.Errorf("dry run: %+v, %v", dry, err)
		}
		if sum, err = s.DeleteAll(t.Context(), group, vm.DeleteOptions{}); err != nil || sum.Err() != nil {
			t.Fatalf("%+v, %v", sum, err)
		}
		if sum.TotalResources != dry.TotalResources {
			t.Errorf("%d resources were announced, %d deleted", dry.TotalResources, sum.TotalResources)
		}
		l.OnlyShared(t)
		if slices.ContainsFunc(sum.Kept, func(k teardown.Kept) bool { return k.ResourceType == "nsg" }) {
			t.Errorf("the group is gone, but said to be kept: %+v", sum.Kept)
		}

		cut, _ := l.Open((&local.Crash{N: 12, After: true}).Dying)
		if _, err := cut.Provision(t.Context(), member(1), nil); err == nil {
			t.Fatal("it was to be cut off")
		}
		if sum, err = s.Delete(t.Context(), vm.Ref{ResourceGroup: group, Name: "ci-01"}, vm.DeleteOptions{}); err != nil || sum.Err() != nil {
			t.Fatalf("%+v, %v", sum, err)
		}
		l.OnlyShared(t)
	})
}
