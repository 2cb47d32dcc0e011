package provision_test

import (
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/test/local/lab"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/provision"
)

func TestProvision(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		s, c := l.Open()
		var mu sync.Mutex
		var steps []string
		d, err := s.Provision(t.Context(), config("dev"), func(step string) {
			mu.Lock()
			defer mu.Unlock()
			steps = append(steps, step)
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d requests: %v", c.Requests(), c.RequestsByMethod())
		if _, err := netip.ParseAddr(d.PublicIP); err != nil || d.PrivateIP == "" || d.VMID == "" || d.AdminUsername != "azureuser" || d.Region != region {
			t.Errorf("details: %+v", d)
		}
		if d.OperationID != "op-dev" || d.HostKey != "ssh-ed25519 AAAAhost" || d.Resumed {
			t.Errorf("details: %+v", d)
		}
		if len(steps) < 5 || steps[0] != "checking what exists" {
			t.Errorf("steps: %q", steps)
		}
		want := map[string]int{
			"Microsoft.Resources/resourceGroups": 1, "Microsoft.Compute/virtualMachines": 1, "Microsoft.Compute/disks": 1,
			"Microsoft.Network/networkInterfaces": 1, "Microsoft.Network/publicIPAddresses": 1, "Microsoft.Network/virtualNetworks": 1,
			"Microsoft.Network/networkSecurityGroups": 1,
		}
		if diff := cmp.Diff(want, l.Resources()); diff != "" {
			t.Error(diff)
		}
		i, err := s.Get(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"})
		if err != nil {
			t.Fatal(err)
		}
		if !i.IsRunning() || !i.Managed || i.PublicIP != d.PublicIP || i.SessionName != "dev" || i.HostKey() != d.HostKey || i.CreatedTime == nil ||
			i.VMSize != "Standard_D2s_v5" || i.OSType != "Linux" || i.StatusDisplay() != "Running" {
			t.Errorf("info: %+v", i)
		}
		created, ok := azure.CreatedAt(i.Tags)
		if owner, _ := azure.Tag(i.Tags, azure.TagOwner); owner != "ann" || !ok || time.Since(created).Abs() > time.Hour {
			t.Errorf("tags: %v", i.Tags)
		}
		if len(i.Disks) != 1 || !strings.HasSuffix(i.Disks[0], "/dev-os") {
			t.Errorf("disks: %v", i.Disks)
		}
	})
}

func TestProvisionTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		s, _ := l.Open()
		first, err := s.Provision(t.Context(), config("dev"), nil)
		if err != nil {
			t.Fatal(err)
		}
		before := l.Emulator.Counts().Requests
		again, err := s.Provision(t.Context(), config("dev"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if !again.Resumed || again.VMID != first.VMID || again.PublicIP != first.PublicIP || again.PrivateIP != first.PrivateIP {
			t.Errorf("first %+v, then %+v", first, again)
		}
		if after := l.Emulator.Counts().Requests; after["PUT"] != before["PUT"] || after["PATCH"] != before["PATCH"] {
			t.Errorf("the second run wrote: %v, then %v", before, after)
		}

		lost := config("dev")
		lost.OperationID = "" // the operation file is lost, the owner is the same
		if d, err := s.Provision(t.Context(), lost, nil); err != nil || d.OperationID != "op-dev" || !d.Resumed {
			t.Errorf("%+v, %v", d, err)
		}
		if goesOn, err := s.Resumes(t.Context(), config("dev")); err != nil || !goesOn {
			t.Errorf("resumes: %v, %v", goesOn, err)
		}
		if goesOn, err := s.Resumes(t.Context(), config("new")); err != nil || goesOn {
			t.Errorf("a free name resumes: %v, %v", goesOn, err)
		}
		other := config("dev")
		other.OperationID, other.Owner = "op-2", "bob"
		if _, err := s.Provision(t.Context(), other, nil); errkind.Of(err) != errkind.Conflict || !errors.Is(err, provision.ErrProvisioning) {
			t.Errorf("somebody else: %v", err)
		}
		if _, err := s.Resumes(t.Context(), other); errkind.Of(err) != errkind.Conflict || !errors.Is(err, provision.ErrProvisioning) {
			t.Errorf("somebody else resumes: %v", err)
		}
		if err := s.Finish(t.Context(), first.ID, first.OperationID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Provision(t.Context(), lost, nil); errkind.Of(err) != errkind.Conflict {
			t.Errorf("a finished one: %v", err)
		}
		if d, err := s.Provision(t.Context(), config("dev"), nil); err != nil || !d.Resumed {
			t.Errorf("the operation that made it: %+v, %v", d, err)
		}
		if n := l.Resources()["Microsoft.Compute/virtualMachines"]; n != 1 {
			t.Errorf("%d VMs", n)
		}
	})
}

func TestProvisionVariants(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*provision.Config){
		"arm64":        func(c *provision.Config) { c.Size = "Standard_B2ps_v2" },
		"generation 1": func(c *provision.Config) { c.Size = "Standard_D2_v3" },
		"zone":         func(c *provision.Config) { c.Zone = "2" },
		"spot":         func(c *provision.Config) { c.Spot = true },
		"identity":     func(c *provision.Config) { c.Identity = "system" },
		"data disks": func(c *provision.Config) {
			c.DataDisks = []provision.DataDisk{{SizeGB: 32}, {SizeGB: 64, Type: "StandardSSD_LRS"}}
		},
		"bigger OS disk": func(c *provision.Config) { c.OSDiskSizeGB = 128 },
		"named image":    func(c *provision.Config) { c.Image = "Canonical:ubuntu-24_04-lts:server:latest" },
		"private":        func(c *provision.Config) { c.Private, c.SSHSources = true, nil },
		"IPv6 operator": func(c *provision.Config) {
			c.SSHSources = append(c.SSHSources, netip.MustParsePrefix("2001:db8::/64"))
		},
		"own tags": func(c *provision.Config) { c.Tags = map[string]string{"environment": "production"} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := lab.New(t, emulator.Options{})
				s, _ := l.Open()
				cfg := config("dev")
				change(&cfg)
				d, err := s.Provision(t.Context(), cfg, nil)
				if err != nil {
					t.Fatal(err)
				}
				if (d.PublicIP == "") != cfg.Private {
					t.Errorf("public address %q", d.PublicIP)
				}
				i, err := s.Get(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"})
				if err != nil || !i.IsRunning() {
					t.Fatalf("%+v, %v", i, err)
				}
				if len(i.Disks) != 1+len(cfg.DataDisks) || i.Spot != cfg.Spot {
					t.Errorf("info: %+v", i)
				}
				if cfg.Zone != "" && (len(i.Zones) != 1 || i.Zones[0] != cfg.Zone) {
					t.Errorf("zones %v", i.Zones)
				}
				if cfg.Tags != nil && i.Tags["environment"] != "production" {
					t.Errorf("tags %v", i.Tags)
				}
				sum, err := s.Delete(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"}, vm.DeleteOptions{})
				if err != nil || sum.Err() != nil {
					t.Fatal(err, sum.Err())
				}
				l.OnlyShared(t)
			})
		})
	}
}

func TestProvisionRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		azure  emulator.Options
		change func(*provision.Config)
		want   errkind.Kind
		code   string
		left   bool
	}{
		{"no such size", emulator.Options{}, func(c *provision.Config) { c.Size = "Standard_X99" }, errkind.Invalid, "", false},
		{"size not offered", emulator.Options{Restricted: []string{"Standard_D2s_v5"}}, nil, errkind.Capacity, "SkuNotAvailable", false},
		{"quota", emulator.Options{Quota: map[string]int{"standardDSv5Family": 1}}, nil, errkind.Quota, "OperationNotAllowed", true},
		{"no room", emulator.Options{Exhausted: []string{"Standard_D2s_v5"}}, nil, errkind.Capacity, "AllocationFailed", true},
		{"bad name", emulator.Options{}, func(c *provision.Config) { c.Name = "-x" }, errkind.Invalid, "", false},
		{"no keys", emulator.Options{}, func(c *provision.Config) { c.SSHPublicKeys = nil }, errkind.Invalid, "", false},
		{"open to nobody", emulator.Options{}, func(c *provision.Config) { c.SSHSources = nil }, errkind.Invalid, "", false},
		{"image of another architecture", emulator.Options{}, func(c *provision.Config) { c.Image = "Canonical:ubuntu-24_04-lts:server-arm64:latest" }, errkind.Invalid, "", false},
		{"no such image", emulator.Options{}, func(c *provision.Config) { c.Image = "Canonical:nothing:server:latest" }, errkind.NotFound, "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := lab.New(t, tc.azure)
				s, _ := l.Open()
				cfg := config("dev")
				if tc.change != nil {
					tc.change(&cfg)
				}
				_, err := s.Provision(t.Context(), cfg, nil)
				if errkind.Of(err) != tc.want || !errors.Is(err, provision.ErrProvisioning) {
					t.Fatalf("kind %q, want %q: %v", errkind.Of(err), tc.want, err)
				}
				if tc.code != "" && azure.Code(err) != tc.code {
					t.Errorf("code %q: %v", azure.Code(err), err)
				}
				e, _ := errors.AsType[*errkind.Error](err)
				if tc.left != (len(e.LeftOver) > 0) {
					t.Errorf("left over: %v", e.LeftOver)
				}
				if tc.left {
					if f, ok := errors.AsType[*provision.ProvisioningFailure](err); !ok || f.Stage != "vm" || f.Code != tc.code || f.VM != "dev" {
						t.Errorf("failure: %+v", f)
					}
				} else if n := l.Emulator.Counts().Requests["PUT"]; n != 0 {
					t.Errorf("%d writes before the refusal", n)
				}
				sum, err := s.Delete(t.Context(), vm.Ref{ResourceGroup: group, Name: cfg.Name}, vm.DeleteOptions{})
				if err != nil || sum.Err() != nil {
					t.Fatal(err, sum.Err())
				}
				l.OnlyShared(t)
			})
		})
	}
}

// TestProvisionAfterFailedAllocation: Azure had no room; later it has, and the same command works.
func TestProvisionAfterFailedAllocation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{Exhausted: []string{"Standard_D2s_v5"}})
		s, _ := l.Open()
		if _, err := s.Provision(t.Context(), config("dev"), nil); errkind.Of(err) != errkind.Capacity {
			t.Fatal(err)
		}
		cfg := config("dev")
		cfg.Size = "Standard_D2s_v3"
		d, err := s.Provision(t.Context(), cfg, nil)
		if err != nil {
			t.Fatal(err)
		}
		if d.VMSize != "Standard_D2s_v3" || l.Resources()["Microsoft.Compute/virtualMachines"] != 1 {
			t.Errorf("%+v, %v", d, l.Resources())
		}
	})
}

func TestProvisionPool(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{Quota: map[string]int{"cores": 500, "standardDSv5Family": 500}})
		s, _ := l.Open()
		var wg sync.WaitGroup
		for _, name := range []string{"pool-01", "pool-02", "pool-03", "pool-04", "pool-05", "pool-06"} {
			wg.Go(func() {
				if _, err := s.Provision(t.Context(), config(name), nil); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		list, err := s.List(t.Context(), vm.ListOptions{ResourceGroup: group, RunningOnly: true})
		if err != nil || len(list.VMs) != 6 {
			t.Errorf("%d VMs, %v", len(list.VMs), err)
		}
		if n := l.Emulator.Counts().Requests["PUT"]; n != 2+6*4 { // the group and the network once
			t.Errorf("%d PUTs", n)
		}
		sum, err := s.DeleteAll(t.Context(), group, vm.DeleteOptions{})
		if err != nil || sum.Err() != nil || sum.TotalResources != 30 || sum.DeletedResources != 30 {
			t.Errorf("%+v, %v", sum, err)
		}
		l.OnlyShared(t)
	})
}
