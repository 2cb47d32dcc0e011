package vm

import (
	"context"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// Snapshot is an incremental snapshot of a disk, by which its content travels to other disks.
type Snapshot struct {
	Name          string
	ResourceGroup string
	Region        string // the disk's
	Disk          string // ARM id
	Operation     string // goes into the tag azlin-op
	Source        string // name of the VM whose disk it is; goes into the tag azlin-source
	Image         string // name of the image that is baked of it, if one is; goes into the tag azlin-image
	Owner         string // goes into the tag azlin-owner
}

// EnsureSnapshot makes a snapshot (snapshots/createOrUpdate) and gives its id. One of that name that is azlin's, from an
// earlier run that was cut off, is taken as it is, and made anew when Azure failed to make it; anybody else's is a Conflict.
func (s *Service) EnsureSnapshot(ctx context.Context, o Snapshot) (id string, err error) {
	var have armcompute.SnapshotsClientGetResponse
	state, err := azure.Settle(ctx, s.azure, "get snapshot", o.Name, func(ctx context.Context) (state string, err error) {
		if have, err = s.azure.Snapshots().Get(ctx, o.ResourceGroup, o.Name, nil); err == nil && have.Properties != nil {
			state = azure.Value(have.Properties.ProvisioningState)
		}
		return state, err
	})
	switch {
	case err == nil && !azure.Managed(azure.Tags(have.Tags)):
		return "", errkind.New(errkind.Conflict, "snapshot %s exists and is not azlin's", o.Name)
	case err == nil && !strings.EqualFold(state, "Failed"):
		return azure.Value(have.ID), nil
	case err == nil: // nothing may be in it
		if err := s.DeleteSnapshot(ctx, azure.Value(have.ID)); err != nil {
			return "", err
		}
	case !azure.IsNotFound(err):
		return "", err
	}
	tags := map[string]string{
		azure.TagManagedBy: azure.ManagedBy, azure.TagCreated: s.azure.Clock().Now().UTC().Format(time.RFC3339), azure.TagOwner: o.Owner,
		azure.TagOperation: o.Operation,
	}
	for name, value := range map[string]string{azure.TagSource: o.Source, azure.TagImage: o.Image} {
		if value != "" {
			tags[name] = value
		}
	}
	made, err := azure.Run(ctx, s.azure, "create snapshot", o.Name, func(ctx context.Context) (*runtime.Poller[armcompute.SnapshotsClientCreateOrUpdateResponse], error) {
		return s.azure.Snapshots().BeginCreateOrUpdate(ctx, o.ResourceGroup, o.Name, armcompute.Snapshot{
			Location: new(o.Region),
			Tags:     azure.SDKTags(tags),
			Properties: &armcompute.SnapshotProperties{
				Incremental:  new(true),
				CreationData: &armcompute.CreationData{CreateOption: to.Ptr(armcompute.DiskCreateOptionCopy), SourceResourceID: new(o.Disk)},
			},
		}, nil)
	})
	if err != nil {
		return "", err
	}
	return azure.Value(made.ID), nil
}

// DeleteSnapshot deletes a snapshot (snapshots/delete). One that is not there is deleted already.
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
