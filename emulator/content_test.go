package emulator_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/host"
)

// TestDisksHaveContent: a VM made from the copy of another one's disk begins with its files, as they were when the snapshot
// was made, but with host keys of its own; a disk that outlives its VM takes the files along.
func TestDisksHaveContent(t *testing.T) {
	t.Parallel()
	rt, err := host.Open(host.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rt.Close() })
	if err := rt.Available(); err != nil {
		t.Skipf("VMs do not boot here: %v", err)
	}
	l := newLab(t, emulator.Options{Hosts: rt, OperatorIP: netip.MustParseAddr("203.0.113.10")})
	ctx := t.Context()
	snapshots, err := armcompute.NewSnapshotsClient(l.e.Identity().SubscriptionID, l.cred, l.opt)
	if err != nil {
		t.Fatal(err)
	}
	run := func(vm, script string) string {
		t.Helper()
		return runScript(l, vm, script)
	}
	l.network()
	nic, _ := l.nic("one")
	body := spec("one", *nic.ID)
	body.Properties.StorageProfile.OSDisk.DeleteOption = new(armcompute.DiskDeleteOptionTypesDetach)
	made := finish[armcompute.VirtualMachinesClientCreateOrUpdateResponse](l)(l.vms.BeginCreateOrUpdate(ctx, group, "one", body, nil))
	disk := made.Properties.StorageProfile.OSDisk.ManagedDisk.ID

	// What cp finds difficult: links, closed directories, files deleted from the system's, odd names.
	const state = "cat /home/azureuser/notes /etc/marker; ls -ld /srv/closed | cut -c1-10; readlink /home/azureuser/link; test -e /etc/issue || echo no issue; cat '/home/azureuser/ odd\tname'"
	run("one", "echo first > /home/azureuser/notes; echo system > /etc/marker; mkdir /srv/closed; chmod 000 /srv/closed; ln -s /nowhere /home/azureuser/link; rm /etc/issue; echo odd > '/home/azureuser/ odd\tname'")
	first := run("one", state)
	if !strings.Contains(first, "first\nsystem\nd---------\n/nowhere\nno issue\nodd") {
		t.Fatalf("the VM says %q", first)
	}
	finish[armcompute.SnapshotsClientCreateOrUpdateResponse](l)(snapshots.BeginCreateOrUpdate(ctx, group, "snap", armcompute.Snapshot{
		Location: new("westus2"), Properties: &armcompute.SnapshotProperties{
			Incremental:  new(true),
			CreationData: &armcompute.CreationData{CreateOption: new(armcompute.DiskCreateOptionCopy), SourceResourceID: disk},
		},
	}, nil))
	run("one", "echo second > /home/azureuser/notes")

	attach := func(vm, diskID string) {
		t.Helper()
		nic, _ := l.nic(vm)
		body := spec(vm, *nic.ID)
		body.Properties.OSProfile = nil
		body.Properties.StorageProfile = &armcompute.StorageProfile{OSDisk: &armcompute.OSDisk{
			CreateOption: new(armcompute.DiskCreateOptionTypesAttach), OSType: new(armcompute.OperatingSystemTypesLinux),
			ManagedDisk: &armcompute.ManagedDiskParameters{ID: &diskID},
		}}
		finish[armcompute.VirtualMachinesClientCreateOrUpdateResponse](l)(l.vms.BeginCreateOrUpdate(ctx, group, vm, body, nil))
	}
	copied := finish[armcompute.DisksClientCreateOrUpdateResponse](l)(l.disks.BeginCreateOrUpdate(ctx, group, "copied", armcompute.Disk{
		Location: new("westus2"), Properties: &armcompute.DiskProperties{
			CreationData: &armcompute.CreationData{CreateOption: new(armcompute.DiskCreateOptionCopy), SourceResourceID: new((*disk)[:strings.LastIndex(*disk, "/disks/")] + "/snapshots/snap")},
		},
	}, nil))
	finish[armcompute.SnapshotsClientDeleteResponse](l)(snapshots.BeginDelete(ctx, group, "snap", nil)) // the disk does not need it
	attach("two", *copied.ID)
	if got := run("two", state); got != first {
		t.Errorf("the clone says %q, not %q", got, first)
	}
	const key = "cat /etc/ssh/ssh_host_ed25519_key.pub | cut -d' ' -f2; hostname"
	if one, two := run("one", key), run("two", key); one == two || !strings.Contains(two, "AAAA") || !strings.Contains(two, "\ntwo") {
		t.Errorf("host keys and names: %q and %q", one, two)
	}

	// The VM goes, its disk stays and is given to another one.
	finish[armcompute.VirtualMachinesClientDeleteResponse](l)(l.vms.BeginDelete(ctx, group, "one", nil))
	attach("three", *disk)
	if got := strings.TrimSpace(run("three", "cat /home/azureuser/notes")); got != "second" {
		t.Errorf("the disk that stayed has %q", got)
	}
}
