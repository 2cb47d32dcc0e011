package disk

import (
	"context"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/ensure"
)

// Snapshot is an incremental snapshot that copies a disk's content to other disks.
type Snapshot struct {
	Name          string
	ResourceGroup string
	Region        string // the disk's
	Disk          string // ARM id
	Operation     string // goes into the tag azlin-op
	Source        string // name of the VM that has the disk; goes into the tag azlin-source
	Image         string // name of the image baked from it, if any; goes into the tag azlin-image
	Owner         string // goes into the tag azlin-owner
}

// EnsureSnapshot creates a snapshot (snapshots/createOrUpdate) and returns its id. An existing one that azlin created in an
// interrupted run is reused, or created again if its creation failed; one that azlin did not create is a Conflict.
func (s *Service) EnsureSnapshot(ctx context.Context, o Snapshot) (id string, err error) {
	tags := map[string]string{
		azure.TagManagedBy: azure.ManagedBy, azure.TagCreated: s.azure.Clock().Now().UTC().Format(time.RFC3339), azure.TagOwner: o.Owner,
		azure.TagOperation: o.Operation,
	}
	for name, value := range map[string]string{azure.TagSource: o.Source, azure.TagImage: o.Image} {
		if value != "" {
			tags[name] = value
		}
	}
	made, _, err := ensure.Ensure(ctx, s.azure, ensure.Resource[armcompute.Snapshot]{
		Kind: "snapshot", Name: o.Name,
		Get: func(ctx context.Context) (armcompute.Snapshot, error) {
			resp, err := s.azure.Snapshots().Get(ctx, o.ResourceGroup, o.Name, nil)
			return resp.Snapshot, err
		},
		Read: func(m *armcompute.Snapshot) ensure.Existing {
			e := ensure.Existing{ID: azure.Value(m.ID), Location: azure.Value(m.Location), Tags: m.Tags}
			if m.Properties != nil {
				e.State = azure.Value(m.Properties.ProvisioningState)
			}
			return e
		},
		Create: func(ctx context.Context) (armcompute.Snapshot, error) {
			resp, err := azure.Run(ctx, s.azure, "create snapshot", o.Name, func(ctx context.Context) (*runtime.Poller[armcompute.SnapshotsClientCreateOrUpdateResponse], error) {
				return s.azure.Snapshots().BeginCreateOrUpdate(ctx, o.ResourceGroup, o.Name, armcompute.Snapshot{
					Location: new(o.Region),
					Tags:     azure.SDKTags(tags),
					Properties: &armcompute.SnapshotProperties{
						Incremental:  new(true),
						CreationData: &armcompute.CreationData{CreateOption: to.Ptr(armcompute.DiskCreateOptionCopy), SourceResourceID: new(o.Disk)},
					},
				}, nil)
			})
			return resp.Snapshot, err
		},
		Delete: func(ctx context.Context) error {
			return s.DeleteSnapshot(ctx, azure.NewID(s.azure.SubscriptionID(), o.ResourceGroup, "Microsoft.Compute", "snapshots", o.Name).String())
		},
	})
	return azure.Value(made.ID), err
}

// DeleteSnapshot deletes a snapshot (snapshots/delete). An absent one is not an error.
func (s *Service) DeleteSnapshot(ctx context.Context, id string) error {
	parsed, err := azure.ParseID(id)
	if err != nil {
		return err
	}
	_, err = azure.Run(ctx, s.azure, "delete snapshot", parsed.Name(), func(ctx context.Context) (*runtime.Poller[armcompute.SnapshotsClientDeleteResponse], error) {
		return s.azure.Snapshots().BeginDelete(ctx, parsed.ResourceGroup, parsed.Name(), nil)
	})
	if azure.IsNotFound(err) {
		return nil
	}
	return err
}
