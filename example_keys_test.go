package azlin_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/upkeep/cleanup"
	"github.com/azlin-dev/azlin/upkeep/keys"
	"github.com/azlin-dev/azlin/vm"
)

// azlin.key_rotator: a new key for one VM, and then another one for all of them.
func Example_keyRotation() {
	w := open()
	defer w.stop()
	ctx := context.Background()
	w.launch("my-vm")
	next, err := keypair.GenerateKeyPair(filepath.Join(w.dir, "ssh"), "new_key")
	check(err)
	result, err := w.Rotator.RotateKey(ctx, vm.Ref{Name: "my-vm"}, next.Public, keys.Options{OldKey: w.key.Private})
	if errors.Is(err, keys.ErrRotation) {
		fmt.Println("Error:", err)
	}
	if result.Success {
		fmt.Println("Key rotated successfully")
		if result.OldKeyBackedUp {
			fmt.Println("Old key backed up to:", filepath.Base(result.BackupPath))
		}
	}
	vms, err := w.VMs.List(ctx, vm.ListOptions{ResourceGroup: "azlin-rg"})
	check(err)
	another, err := keypair.GenerateKeyPair(filepath.Join(w.dir, "ssh"), "another_key")
	check(err)
	results, err := w.Rotator.RotateKeysBatch(ctx, vms.VMs, another.Public, keys.Options{OldKey: next.Private})
	check(err)
	successful := 0
	for _, r := range results {
		if r.Success {
			successful++
		}
	}
	fmt.Printf("Rotated keys for %d/%d VMs\n", successful, len(results))
	for _, info := range w.Rotator.List(ctx, vms.VMs, keys.Options{SSH: reach.Options{KeyPath: another.Private}}) {
		fmt.Println(info.Name, info.User, len(info.Fingerprints), info.Err)
	}
	// Output:
	// Key rotated successfully
	// Old key backed up to: azlin_key
	// Rotated keys for 1/1 VMs
	// my-vm azureuser 1 <nil>
}

// azlin.resource_cleanup: find what belongs to nobody, see what it costs, delete it.
func Example_cleanup() {
	w := open()
	defer w.stop()
	ctx := context.Background()
	w.launch("my-vm")
	_, err := azure.Run(ctx, w.Azure, "create disk", "left-over", func(ctx context.Context) (*runtime.Poller[armcompute.DisksClientCreateOrUpdateResponse], error) {
		return w.Azure.Disks().BeginCreateOrUpdate(ctx, "azlin-rg", "left-over", armcompute.Disk{
			Location: new("westus2"), Tags: map[string]*string{azure.TagManagedBy: new(azure.ManagedBy)},
			Properties: &armcompute.DiskProperties{CreationData: &armcompute.CreationData{CreateOption: new(armcompute.DiskCreateOptionEmpty)}, DiskSizeGB: new(int32(128))},
		}, nil)
	})
	check(err)

	whatever := cleanup.FindOptions{OlderThan: -1} // of any age: it was made a moment ago
	found, err := w.Cleaner.FindOrphanedResources(ctx, "azlin-rg", whatever)
	check(err)
	fmt.Printf("Found %d orphaned resources\n", len(found.Orphans))
	for _, resource := range found.Orphans {
		fmt.Printf("  %s: %s\n", resource.ResourceType, resource.ResourceName)
		fmt.Println("    cost is known:", resource.EstimatedCostMonthly != nil)
	}
	summary, err := w.Cleaner.CleanupOrphanedResources(ctx, "azlin-rg", cleanup.Options{FindOptions: whatever, DryRun: true})
	check(err)
	fmt.Printf("Would delete %d resources\n", summary.TotalFound)
	summary, err = w.Cleaner.CleanupOrphanedResources(ctx, "azlin-rg", cleanup.Options{FindOptions: whatever, Force: true})
	check(err)
	fmt.Printf("Deleted %d resources\n", summary.TotalDeleted)
	_, err = w.Cleaner.FindOrphanedResources(ctx, "no-such-group", whatever)
	fmt.Println(errors.Is(err, cleanup.ErrCleanup))
	// Output:
	// Found 1 orphaned resources
	//   disk: left-over
	//     cost is known: true
	// Would delete 1 resources
	// Deleted 1 resources
	// true
}
