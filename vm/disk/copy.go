package disk

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/ensure"
	"github.com/azlin-dev/azlin/errkind"
)

// Copy makes a VM from snapshots of another VM's disks instead of an image. Their content stays: users, their keys, files.
// Azure sends no user data to such a VM, and cloud-init generates new host keys, because the instance is new.
type Copy struct {
	OSSnapshot    string   // ARM id
	DataSnapshots []string // ARM ids, in the order in which they are attached
	TrustedLaunch bool     // the disk was made for trusted launch and requires it
	SecureBoot    bool     // part of TrustedLaunch
}

// Original holds the properties of a VM that a copy of its OS disk needs.
type Original struct {
	Copy

	Disk             string // ARM id
	EncryptionAtHost bool
}

// CopyOf reads the properties that a copy of a VM's OS disk needs. A VM whose disk cannot be copied is Invalid.
func CopyOf(m *armcompute.VirtualMachine) (Original, error) {
	if m.Properties == nil || m.Properties.StorageProfile == nil || m.Properties.StorageProfile.OSDisk == nil {
		return Original{}, errkind.New(errkind.Invalid, "it has no OS disk to copy")
	}
	root := m.Properties.StorageProfile.OSDisk
	if root.ManagedDisk == nil || azure.Value(root.ManagedDisk.ID) == "" {
		return Original{}, errkind.New(errkind.Invalid, "it has no managed OS disk to copy")
	}
	if root.DiffDiskSettings != nil {
		return Original{}, errkind.New(errkind.Invalid, "its OS disk is ephemeral: Azure makes no snapshots of that")
	}
	o := Original{Disk: azure.Value(root.ManagedDisk.ID)}
	if s := m.Properties.SecurityProfile; s != nil {
		o.TrustedLaunch = azure.Value(s.SecurityType) == armcompute.SecurityTypesTrustedLaunch
		o.SecureBoot = s.UefiSettings != nil && azure.Value(s.UefiSettings.SecureBootEnabled)
		o.EncryptionAtHost = azure.Value(s.EncryptionAtHost)
	}
	return o, nil
}

// Security is the security profile of a VM made from the copy: the one its disks were made for.
func (c Copy) Security(encryptionAtHost bool) *armcompute.SecurityProfile {
	profile := &armcompute.SecurityProfile{SecurityType: to.Ptr(armcompute.SecurityTypesStandard)}
	if c.TrustedLaunch {
		profile.SecurityType = to.Ptr(armcompute.SecurityTypesTrustedLaunch)
		profile.UefiSettings = &armcompute.UefiSettings{SecureBootEnabled: new(c.SecureBoot), VTpmEnabled: new(true)}
	}
	if encryptionAtHost {
		profile.EncryptionAtHost = new(true)
	}
	return profile
}

// Place is where disks are created, and how they are tagged.
type Place struct {
	Group, Region string
	Zone          string // empty: none
	Tags          map[string]string

	Report func(step string) // may be nil
	Left   func(id string)   // called with the id of each disk; may be nil
}

// FromSnapshot is a disk created from a snapshot.
type FromSnapshot struct {
	Name     string
	Type     string // "Premium_LRS"
	Snapshot string // ARM id
}

// Ensure creates disks from snapshots (disks/createOrUpdate) in parallel, and returns their ids in the order of all. An
// existing disk from an earlier run is reused; one whose creation failed is created again, because it cannot hold data.
func (s *Service) Ensure(ctx context.Context, p Place, all []FromSnapshot) ([]string, error) {
	ids := make([]string, len(all))
	g, ctx := errgroup.WithContext(ctx)
	for n, d := range all {
		g.Go(func() (err error) {
			ids[n], err = s.ensure(ctx, p, d)
			return err
		})
	}
	return ids, g.Wait()
}

func (s *Service) ensure(ctx context.Context, p Place, d FromSnapshot) (string, error) {
	made, _, err := ensure.Ensure(ctx, s.azure, ensure.Resource[armcompute.Disk]{
		Kind: "disk", Name: d.Name, ID: azure.NewID(s.azure.SubscriptionID(), p.Group, "Microsoft.Compute", "disks", d.Name).String(),
		Region: p.Region, Advice: "choose another name", Report: p.Report, Left: p.Left,
		Get: func(ctx context.Context) (armcompute.Disk, error) {
			resp, err := s.azure.Disks().Get(ctx, p.Group, d.Name, nil)
			return resp.Disk, err
		},
		Read: func(m *armcompute.Disk) ensure.Existing {
			e := ensure.Existing{ID: azure.Value(m.ID), Location: azure.Value(m.Location), Tags: m.Tags}
			if m.Properties != nil {
				e.State = azure.Value(m.Properties.ProvisioningState)
			}
			return e
		},
		Create: func(ctx context.Context) (armcompute.Disk, error) {
			resp, err := azure.Run(ctx, s.azure, "create disk", d.Name, func(ctx context.Context) (*runtime.Poller[armcompute.DisksClientCreateOrUpdateResponse], error) {
				return s.azure.Disks().BeginCreateOrUpdate(ctx, p.Group, d.Name, p.model(d), nil)
			})
			return resp.Disk, err
		},
		Delete: func(ctx context.Context) error {
			_, err := azure.Run(ctx, s.azure, "delete disk", d.Name, func(ctx context.Context) (*runtime.Poller[armcompute.DisksClientDeleteResponse], error) {
				return s.azure.Disks().BeginDelete(ctx, p.Group, d.Name, nil)
			})
			return err
		},
	})
	return azure.Value(made.ID), err
}

func (p Place) model(d FromSnapshot) armcompute.Disk {
	m := armcompute.Disk{
		Location: new(p.Region), Tags: azure.SDKTags(p.Tags), SKU: &armcompute.DiskSKU{Name: new(armcompute.DiskStorageAccountTypes(d.Type))},
		Properties: &armcompute.DiskProperties{CreationData: &armcompute.CreationData{
			CreateOption: to.Ptr(armcompute.DiskCreateOptionCopy), SourceResourceID: new(d.Snapshot),
		}},
	}
	if p.Zone != "" {
		m.Zones = []*string{new(p.Zone)}
	}
	return m
}
