package image

import (
	"context"
	_ "embed"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/ensure"
	"github.com/azlin-dev/azlin/azure/pacing"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/catalog"
	"github.com/azlin-dev/azlin/vm/disk"
)

//go:embed clean.sh
var cleaning string

// cleaned is the last line the script prints. Azure does not report the exit code of a script.
const cleaned = "azlin: clean"

// Run carries out a plan: a snapshot of the VM's disk, a temporary VM with a copy of it, which is cleaned (Run Command),
// deallocated and generalized, and a version of the image from that (galleryImageVersions/createOrUpdate). Then the
// temporary VM and all that belongs to it are deleted. The VM itself is not changed. When ctx or the process ends, nothing
// is undone, and the same request resumes. report may be nil.
func (b *Baker) Run(ctx context.Context, p Plan, report func(step string)) (Image, error) {
	if report == nil {
		report = func(string) {}
	}
	image := Image{Name: p.Name, Version: p.Version, ResourceGroup: p.Group, Region: p.Region, Source: p.Source.Name}
	fail := func(err error) (Image, error) {
		return image, &errkind.Error{
			Kind: errkind.Of(err), Op: "bake an image of", Resource: p.Source.Name, Err: err,
			Next: p.again(),
		}
	}
	if !p.published {
		if err := b.bake(pacing.WithNotice(ctx, report), p, report); err != nil {
			// Another machine may have run the same request and finished first.
			if _, state, verr := b.version(ctx, p); verr != nil || state != armcompute.GalleryProvisioningStateSucceeded {
				return fail(err)
			}
		}
	}
	if err := b.tidy(ctx, p, report); err != nil {
		return fail(err)
	}
	made, state, err := b.version(ctx, p)
	if err == nil && made == nil {
		err = errkind.New(errkind.NotFound, "version %s of it is not there any more", p.Version)
	}
	if err != nil {
		return fail(err)
	}
	image.ID, image.State, image.Created = value(made.ID), string(state), created(azure.Tags(made.Tags))
	return image, nil
}

// Abandon deletes the remains of an interrupted request: the snapshot, the temporary VM with all that belongs to it, and the
// image if it has no version. A published version stays. Having nothing to delete is not an error.
func (b *Baker) Abandon(ctx context.Context, p Plan, report func(step string)) error {
	if report == nil {
		report = func(string) {}
	}
	if err := b.tidy(ctx, p, report); err != nil {
		return err
	}
	return b.clear(ctx, p.Group, p.Name, report)
}

// clear deletes an image without versions.
func (b *Baker) clear(ctx context.Context, group, name string, report func(string)) error {
	empty, err := b.PlanDeletion(ctx, group, name)
	if errkind.Of(err) == errkind.NotFound || len(empty.Images) > 0 {
		return nil
	}
	if err != nil {
		return err
	}
	return b.Delete(ctx, empty, report)
}

// tidy deletes the temporary resources.
func (b *Baker) tidy(ctx context.Context, p Plan, report func(string)) error {
	report("deleting the temporary VM")
	if err := b.Disks.DeleteSnapshot(ctx, p.snapshotID()); err != nil {
		return err
	}
	_, err := b.VMs.Delete(ctx, vm.Ref{ResourceGroup: p.Group, Name: p.Builder}, vm.DeleteOptions{})
	return err
}

func (b *Baker) bake(ctx context.Context, p Plan, report func(string)) error {
	if err := b.shelve(ctx, p, report); err != nil {
		return err
	}
	report("copying the disk")
	generalized, err := b.build(ctx, p, report)
	if err != nil {
		return err
	}
	if !generalized {
		if err := b.clean(ctx, p, report); err != nil {
			return err
		}
	}
	// The copy no longer needs it, and a snapshot costs money.
	if err := b.Disks.DeleteSnapshot(ctx, p.snapshotID()); err != nil {
		return err
	}
	return b.publish(ctx, p, report)
}

func (p Plan) snapshotName() string { return vm.BakeSnapshot(p.Builder) }

func (p Plan) snapshotID() string {
	return strings.TrimSuffix(p.Source.ID, "virtualMachines/"+p.Source.Name) + "snapshots/" + p.snapshotName()
}

// shelve creates the gallery and the image name if they do not exist.
func (b *Baker) shelve(ctx context.Context, p Plan, report func(string)) error {
	if p.definition != nil {
		return nil
	}
	_, err := b.Azure.Galleries().Get(ctx, p.Group, catalog.GalleryName, nil)
	if err := azure.Wrap("get gallery", catalog.GalleryName, err); err != nil {
		if !azure.IsNotFound(err) {
			return err
		}
		report("creating gallery " + catalog.GalleryName)
		if _, err := azure.Run(ctx, b.Azure, "create gallery", catalog.GalleryName, func(ctx context.Context) (*runtime.Poller[armcompute.GalleriesClientCreateOrUpdateResponse], error) {
			return b.Azure.Galleries().BeginCreateOrUpdate(ctx, p.Group, catalog.GalleryName, armcompute.Gallery{
				Location: new(p.Region), Tags: b.tags(p, ""), Properties: &armcompute.GalleryProperties{Description: new("Images that azlin has baked")},
			}, nil)
		}); err != nil {
			return err
		}
	}
	report("creating image " + p.Name)
	_, err = azure.Run(ctx, b.Azure, "create image", p.Name, func(ctx context.Context) (*runtime.Poller[armcompute.GalleryImagesClientCreateOrUpdateResponse], error) {
		return b.Azure.GalleryImages().BeginCreateOrUpdate(ctx, p.Group, catalog.GalleryName, p.Name, armcompute.GalleryImage{
			Location: new(p.Region), Tags: b.tags(p, ""), Properties: p.properties(),
		}, nil)
	})
	return err
}

// build creates the temporary VM and starts it, unless it is already generalized.
func (b *Baker) build(ctx context.Context, p Plan, report func(string)) (generalized bool, err error) {
	have, err := b.Azure.VMs().Get(ctx, p.Group, p.Builder, &armcompute.VirtualMachinesClientGetOptions{Expand: to.Ptr(armcompute.InstanceViewTypesInstanceView)})
	if err := azure.Wrap("get vm", p.Builder, err); err != nil && !azure.IsNotFound(err) {
		return false, err
	}
	there := err == nil
	if there && isGeneralized(have.Properties) {
		return true, nil
	}
	config := p.config
	config.Copy.OSSnapshot = p.snapshotID()
	config.Bakes = p.Name + ":" + p.Version
	if !there {
		if _, err := b.Disks.EnsureSnapshot(ctx, disk.Snapshot{
			Name: p.snapshotName(), ResourceGroup: p.Group, Region: p.Region, Disk: value(p.disk.ID), Owner: b.Owner, Operation: p.mark(),
			Source: p.Source.Name, Image: p.Name,
		}); err != nil {
			return false, err
		}
	}
	if _, err := b.Provisioner.Provision(ctx, config, report); err != nil {
		return false, b.Catalog.Refused(ctx, config.Wanted(1), err)
	}
	if !there {
		return false, nil
	}
	// An earlier run may have deallocated it before it was marked as generalized. Whether cleaning finished is unknown;
	// repeat it.
	_, err = b.VMs.Start(ctx, vm.Ref{ResourceGroup: p.Group, Name: p.Builder}, vm.PowerOptions{})
	return false, err
}

func isGeneralized(p *armcompute.VirtualMachineProperties) bool {
	if p == nil || p.InstanceView == nil {
		return false
	}
	for _, s := range p.InstanceView.Statuses {
		if s != nil && strings.EqualFold(value(s.Code), "OSState/generalized") {
			return true
		}
	}
	return false
}

// clean removes from the temporary VM what belongs to people or to one machine, and marks it as generalized.
func (b *Baker) clean(ctx context.Context, p Plan, report func(string)) error {
	report("taking users, keys and traces out of the copy")
	out, err := b.runAlone(ctx, p)
	if err != nil {
		return err
	}
	if !strings.HasSuffix(strings.TrimSpace(out.Stdout), cleaned) {
		said := strings.TrimSpace(out.Stderr)
		if said == "" {
			said = strings.TrimSpace(out.Stdout)
		}
		return errkind.New(errkind.Provisioning, "the copy could not be cleaned: %s", tail(said, 400))
	}
	report("switching the copy off")
	if _, err := b.VMs.Stop(ctx, vm.Ref{ResourceGroup: p.Group, Name: p.Builder}, vm.PowerOptions{}); err != nil {
		return err
	}
	_, err = b.Azure.VMs().Generalize(ctx, p.Group, p.Builder, nil)
	return azure.Wrap("generalize vm", p.Builder, err)
}

// runAlone runs the script, and first waits for one that an earlier run started: Azure runs one at a time. Running it twice
// does no harm.
func (b *Baker) runAlone(ctx context.Context, p Plan) (vm.CommandOutput, error) {
	for {
		out, err := b.VMs.RunCommand(ctx, vm.Ref{ResourceGroup: p.Group, Name: p.Builder}, strings.Split(cleaning, "\n")...)
		if err == nil || !strings.Contains(err.Error(), "execution is in progress") {
			return out, err
		}
		select {
		case <-ctx.Done():
			return out, context.Cause(ctx)
		case <-time.After(lookAgain):
		}
	}
}

// lookAgain is the interval between tries while a script of an earlier run still runs.
const lookAgain = 5 * time.Second

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// publish creates the version of the image, or waits for one that an earlier run requested. A failed one is deleted and
// created again.
func (b *Baker) publish(ctx context.Context, p Plan, report func(string)) error {
	report("publishing " + p.Name + " " + p.Version + ", which takes minutes")
	_, _, err := ensure.Ensure(ctx, b.Azure, ensure.Resource[armcompute.GalleryImageVersion]{
		Kind: "image", Name: p.Name + ":" + p.Version,
		Get: func(ctx context.Context) (armcompute.GalleryImageVersion, error) {
			have, err := b.Azure.GalleryVersions().Get(ctx, p.Group, catalog.GalleryName, p.Name, p.Version, nil)
			return have.GalleryImageVersion, err
		},
		Read: func(m *armcompute.GalleryImageVersion) ensure.Existing {
			return ensure.Existing{ID: value(m.ID), Location: value(m.Location), Tags: m.Tags, State: string(stateOf(m))}
		},
		Create: func(ctx context.Context) (armcompute.GalleryImageVersion, error) { return b.put(ctx, p) },
		Delete: func(ctx context.Context) error { return b.deleteVersion(ctx, p.Group, p.Name, p.Version) },
	})
	return err
}

func (b *Baker) put(ctx context.Context, p Plan) (armcompute.GalleryImageVersion, error) {
	builder := strings.TrimSuffix(p.Source.ID, p.Source.Name) + p.Builder
	made, err := azure.Run(ctx, b.Azure, "create image", p.Name+":"+p.Version, func(ctx context.Context) (*runtime.Poller[armcompute.GalleryImageVersionsClientCreateOrUpdateResponse], error) {
		return b.Azure.GalleryVersions().BeginCreateOrUpdate(ctx, p.Group, catalog.GalleryName, p.Name, p.Version, armcompute.GalleryImageVersion{
			Location: new(p.Region), Tags: b.tags(p, p.operation()),
			Properties: &armcompute.GalleryImageVersionProperties{
				StorageProfile: &armcompute.GalleryImageVersionStorageProfile{Source: &armcompute.GalleryArtifactVersionFullSource{VirtualMachineID: &builder}},
				PublishingProfile: &armcompute.GalleryImageVersionPublishingProfile{
					TargetRegions: []*armcompute.TargetRegion{{Name: new(p.Region), RegionalReplicaCount: new(int32(1))}},
				},
			},
		}, nil)
	})
	return made.GalleryImageVersion, err
}

// version reads the version that a plan creates; nil: it does not exist.
func (b *Baker) version(ctx context.Context, p Plan) (*armcompute.GalleryImageVersion, armcompute.GalleryProvisioningState, error) {
	have, err := b.Azure.GalleryVersions().Get(ctx, p.Group, catalog.GalleryName, p.Name, p.Version, nil)
	if err := azure.Wrap("get image", p.Name+":"+p.Version, err); err != nil {
		if azure.IsNotFound(err) {
			return nil, "", nil
		}
		return nil, "", err
	}
	return &have.GalleryImageVersion, stateOf(&have.GalleryImageVersion), nil
}
