package emulator_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"

	"github.com/azlin-dev/azlin/emulator"
)

// TestLife sees a VM through its life at Azure's pace, which takes no time in a bubble.
func TestLife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Options{Realistic: true})
		ctx := t.Context()
		l.network()
		start := time.Now()
		vm := l.vm("a")
		if took := time.Since(start); took < 30*time.Second {
			t.Errorf("creation took %s of virtual time, not a realistic one", took)
		}
		if *vm.Properties.ProvisioningState != "Succeeded" || vm.Properties.StorageProfile.OSDisk.ManagedDisk.ID == nil || vm.Properties.OSProfile.CustomData != nil {
			t.Errorf("created VM: %+v", vm.Properties)
		}
		if got := l.power("a"); got != "PowerState/running" {
			t.Errorf("power %s", got)
		}
		finish[armcompute.VirtualMachinesClientDeallocateResponse](l)(l.vms.BeginDeallocate(ctx, group, "a", nil))
		if got := l.power("a"); got != "PowerState/deallocated" {
			t.Errorf("power %s", got)
		}
		d, err := l.disks.Get(ctx, group, "a-os", nil)
		if err != nil {
			t.Fatal(err)
		}
		if *d.Properties.DiskState != armcompute.DiskStateReserved || *d.Tags["managed-by"] != "azlin" {
			t.Errorf("disk of a deallocated VM: %s %v", *d.Properties.DiskState, d.Tags)
		}
		finish[armcompute.VirtualMachinesClientStartResponse](l)(l.vms.BeginStart(ctx, group, "a", nil))
		finish[armcompute.VirtualMachinesClientRestartResponse](l)(l.vms.BeginRestart(ctx, group, "a", nil))
		if got := l.power("a"); got != "PowerState/running" {
			t.Errorf("power %s", got)
		}
		finish[armcompute.VirtualMachinesClientDeleteResponse](l)(l.vms.BeginDelete(ctx, group, "a", nil))
		if c := l.e.Counts(); c.Resources["Microsoft.Network/publicIPAddresses"]+c.Resources["Microsoft.Network/networkInterfaces"]+c.Resources["Microsoft.Compute/disks"] != 0 {
			t.Errorf("left over: %v", c.Resources)
		}
		finish[armresources.ResourceGroupsClientDeleteResponse](l)(l.groups.BeginDelete(ctx, group, nil))
		if ok, err := l.groups.CheckExistence(ctx, group, nil); err != nil || ok.Success {
			t.Errorf("group still there: %v %v", ok.Success, err)
		}
	})
}

// power is the power state of a VM.
func (l *lab) power(name string) string {
	l.Helper()
	v, err := l.vms.InstanceView(l.Context(), group, name, nil)
	if err != nil {
		l.Fatal(err)
	}
	for _, s := range v.Statuses {
		if contains(*s.Code, "PowerState/") {
			return *s.Code
		}
	}
	return ""
}
