package vm_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/fault"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/test/local/lab"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/disk"
	"github.com/azlin-dev/azlin/vm/provision"
)

// original makes dev with a data disk, and a snapshot of each of its disks.
func original(t *testing.T, l *lab.Lab) {
	t.Helper()
	s, c := l.Open()
	cfg := config("dev")
	cfg.DataDisks = []provision.DataDisk{{SizeGB: 32}}
	if _, err := s.Provision(t.Context(), cfg, nil); err != nil {
		t.Fatal(err)
	}
	for _, disk := range []string{"os", "data-0"} {
		_, err := azure.Run(t.Context(), c, "snapshot", disk, func(ctx context.Context) (*runtime.Poller[armcompute.SnapshotsClientCreateOrUpdateResponse], error) {
			return c.Snapshots().BeginCreateOrUpdate(ctx, group, disk, armcompute.Snapshot{Location: new(region), Properties: &armcompute.SnapshotProperties{
				CreationData: &armcompute.CreationData{
					CreateOption:     to.Ptr(armcompute.DiskCreateOptionCopy),
					SourceResourceID: new("/subscriptions/" + c.SubscriptionID() + "/resourceGroups/" + group + "/providers/Microsoft.Compute/disks/dev-" + disk),
				},
			}}, nil)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func copied(subscription string) provision.Config {
	cfg := config("twin")
	cfg.SSHPublicKeys, cfg.CustomData, cfg.HostKey = nil, nil, ""
	in := "/subscriptions/" + subscription + "/resourceGroups/" + group + "/providers/Microsoft.Compute/snapshots/"
	cfg.Copy = &disk.Copy{OSSnapshot: in + "os", DataSnapshots: []string{in + "data-0"}, TrustedLaunch: true, SecureBoot: true}
	return cfg
}

// TestCopyOfDisks: a VM begins with another one's disks, not with an image, and is deleted with them.
func TestCopyOfDisks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		original(t, l)
		before := l.Resources()
		s, c := l.Open()
		for name, change := range map[string]func(*provision.Config){
			"an image":      func(c *provision.Config) { c.Image = "Canonical:ubuntu-24_04-lts:server:latest" },
			"user data":     func(c *provision.Config) { c.CustomData = []byte("#cloud-config\n") },
			"no snapshot":   func(c *provision.Config) { c.Copy.OSSnapshot = "dev" },
			"too few disks": func(c *provision.Config) { c.DataDisks = []provision.DataDisk{{SizeGB: 1}, {SizeGB: 1}} },
		} {
			cfg := copied(c.SubscriptionID())
			change(&cfg)
			if _, err := s.Provision(t.Context(), cfg, nil); errkind.Of(err) != errkind.Invalid {
				t.Errorf("%s: %v", name, err)
			}
		}
		d, err := s.Provision(t.Context(), copied(c.SubscriptionID()), nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.VMs().Get(t.Context(), group, "twin", nil)
		if err != nil {
			t.Fatal(err)
		}
		storage, security := got.Properties.StorageProfile, got.Properties.SecurityProfile
		if got.Properties.OSProfile != nil || storage.ImageReference != nil || *storage.OSDisk.CreateOption != armcompute.DiskCreateOptionTypesAttach ||
			*storage.OSDisk.Name != "twin-os" || len(storage.DataDisks) != 1 || *storage.DataDisks[0].Name != "twin-data-0" ||
			*security.SecurityType != armcompute.SecurityTypesTrustedLaunch || !*security.UefiSettings.SecureBootEnabled {
			t.Errorf("%+v, %+v", storage, security)
		}
		if i, err := s.Get(t.Context(), vm.Ref{ResourceGroup: group, Name: "twin"}); err != nil || !i.IsRunning() || !i.Managed || i.PublicIP != d.PublicIP {
			t.Errorf("%+v, %v", i, err)
		}
		if err := deleteTwin(t, s); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, l.Resources()); diff != "" {
			t.Error(diff)
		}
	})
}

func deleteTwin(t *testing.T, s *lab.Services) error {
	t.Helper()
	sum, err := s.Delete(t.Context(), vm.Ref{ResourceGroup: group, Name: "twin"}, vm.DeleteOptions{})
	if err == nil {
		err = sum.Err()
	}
	return err
}

// TestCopyAfterAnyCrash: the second run makes one VM of what the first one left, and kill leaves nothing of it.
func TestCopyAfterAnyCrash(t *testing.T) {
	t.Parallel()
	for _, kill := range []bool{false, true} {
		t.Run(map[bool]string{false: "again", true: "kill"}[kill], func(t *testing.T) {
			t.Parallel()
			var before map[string]int
			var subscription string
			atEveryRequest(t, func(t *testing.T, l *lab.Lab) {
				t.Helper()
				original(t, l)
				before, subscription = l.Resources(), l.Emulator.Identity().SubscriptionID
			}, func(t *testing.T, s *lab.Services) error {
				t.Helper()
				_, err := s.Provision(t.Context(), copied(subscription), nil)
				return err
			}, func(t *testing.T, l *lab.Lab) {
				t.Helper()
				s, c := l.Open()
				if !kill {
					if _, err := s.Provision(t.Context(), copied(c.SubscriptionID()), nil); err != nil {
						t.Fatal(err)
					}
					if n := l.Resources()["Microsoft.Compute/disks"]; n != 4 {
						t.Errorf("%d disks", n)
					}
				}
				if err := deleteTwin(t, s); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(before, l.Resources()); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// TestCopyOfFailedDisk: a disk that could not be made is there, with nothing on it; the second run takes another one.
func TestCopyOfFailedDisk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		original(t, l)
		s, c := l.Open()
		if _, err := l.Emulator.AddFault(fault.Rule{Effect: fault.Fail, Operation: "disk.put", Name: "twin-os", Count: 1}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Provision(t.Context(), copied(c.SubscriptionID()), nil); errkind.Of(err) != errkind.Capacity {
			t.Fatal(err)
		}
		if d, err := c.Disks().Get(t.Context(), group, "twin-os", nil); err != nil || *d.Properties.ProvisioningState != "Failed" {
			t.Fatalf("%+v, %v", d, err)
		}
		if _, err := s.Provision(t.Context(), copied(c.SubscriptionID()), nil); err != nil {
			t.Fatal(err)
		}
		if d, err := c.Disks().Get(t.Context(), group, "twin-os", nil); err != nil || *d.Properties.ProvisioningState != "Succeeded" {
			t.Errorf("%+v, %v", d, err)
		}
	})
}
