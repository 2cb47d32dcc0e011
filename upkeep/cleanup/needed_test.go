package cleanup_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/upkeep/cleanup"
)

// TestNeededAgain: somebody takes resources into use between the look and the deletion.
func TestNeededAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		ctx := t.Context()
		dev := l.launch("dev")
		l.orphans(dev.Subnet)
		l.disk("attached", 32)
		l.disk("remade", 32)
		again := l.disk("again", 32)
		l.snapshot("of-again", *again.ID)
		l.snapshot("exported-snapshot", *again.ID)
		l.deleteDisk("again")
		l.nic("taken-nic", dev.Subnet, nil, nil)
		time.Sleep(2 * time.Hour)
		meanwhile := func(ctx context.Context, plan cleanup.Summary) error {
			if plan.TotalDeleted != 0 || plan.TotalFound != 12 {
				t.Errorf("plan %+v", plan)
			}
			l.access("spare")
			ip, nsg := l.ip("lonely-ip"), l.nsg("lonely-nsg")
			l.nic("new-nic", dev.Subnet, ip, nsg)
			attach(l, "dev", "attached")
			l.deleteDisk("remade")
			l.disk("remade", 64)
			done(l, func(ctx context.Context) (*runtime.Poller[armcompute.SnapshotsClientGrantAccessResponse], error) {
				return l.c.Snapshots().BeginGrantAccess(ctx, group, "exported-snapshot", armcompute.GrantAccessData{Access: new(armcompute.AccessLevelRead), DurationInSeconds: new(int32(60))}, nil)
			})
			done(l, func(ctx context.Context) (*runtime.Poller[armcompute.SnapshotsClientDeleteResponse], error) {
				return l.c.Snapshots().BeginDelete(ctx, group, "of-gone", nil) // somebody else was faster
			})
			if err := l.c.MergeTags(ctx, *l.nicID("taken-nic"), map[string]string{azure.TagOperation: "new:other:network"}); err != nil {
				t.Fatal(err)
			}
			return nil
		}
		sum, err := l.cleaner().CleanupOrphanedResources(ctx, group, cleanup.Options{Confirm: meanwhile})
		if err != nil || sum.Err() != nil {
			t.Fatal(err, sum.Err())
		}
		got := map[string]cleanup.Outcome{}
		for _, r := range sum.Resources {
			got[r.ResourceName] = r.Outcome
		}
		if diff := cmp.Diff(map[string]cleanup.Outcome{
			"spare": cleanup.Needed, "attached": cleanup.Needed, "remade": cleanup.Needed, "lonely-ip": cleanup.Needed, "lonely-nsg": cleanup.Needed,
			"taken-nic": cleanup.Needed, "exported-snapshot": cleanup.Needed,
			"of-gone": cleanup.Deleted, "of-again": cleanup.Deleted, "spare-nic": cleanup.Deleted, "spare-ip": cleanup.Deleted, "spare-nsg": cleanup.Deleted,
		}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		for _, name := range []string{"spare", "attached", "remade"} {
			if _, err := l.c.Disks().Get(ctx, group, name, nil); err != nil {
				t.Error(err)
			}
		}
	})
}

func (l *lab) nicID(name string) *string {
	l.Helper()
	r, err := l.c.NICs().Get(l.Context(), group, name, nil)
	if err != nil {
		l.Fatal(err)
	}
	return r.ID
}

// attach gives a VM a disk.
func attach(l *lab, name, disk string) {
	l.Helper()
	d, err := l.c.Disks().Get(l.Context(), group, disk, nil)
	if err != nil {
		l.Fatal(err)
	}
	done(l, func(ctx context.Context) (*runtime.Poller[armcompute.VirtualMachinesClientUpdateResponse], error) {
		return l.c.VMs().BeginUpdate(ctx, group, name, armcompute.VirtualMachineUpdate{Properties: &armcompute.VirtualMachineProperties{StorageProfile: &armcompute.StorageProfile{
			DataDisks: []*armcompute.DataDisk{{Lun: new(int32(0)), CreateOption: new(armcompute.DiskCreateOptionTypesAttach), ManagedDisk: &armcompute.ManagedDiskParameters{ID: d.ID}}},
		}}}, nil)
	})
}
