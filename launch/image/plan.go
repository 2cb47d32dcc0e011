package image

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/catalog"
	"github.com/azlin-dev/azlin/vm/provision"
)

// Request describes an image to bake.
type Request struct {
	Source vm.Info
	Name   string // of the image; empty: the VM's
	Size   string // of the temporary VM; empty: the VM's

	Abandon bool // for Baker.Abandon: plan only a clean-up; skip quota and name checks
}

// Plan is an image that Azure would accept, as far as that can be known in advance.
type Plan struct {
	Source  vm.Info
	Name    string
	Version string
	Group   string
	Region  string
	Builder string   // name of the temporary VM
	Size    string   // its size
	DiskGB  int      // 0: unknown
	Notes   []string // what could not be checked, and why
	Resumes bool     // an earlier request was interrupted and is resumed

	disk       armcompute.Disk
	config     provision.Config // of the temporary VM
	definition *armcompute.GalleryImage
	built      bool // the temporary VM exists
	published  bool // the version exists: only the clean-up is left
	request    Request
	key        string // common part of all temporary names
}

// Plan reads the VM (virtualMachines/get), its disk, the gallery and the remains of an earlier request, and checks names and
// quota. It sends no write.
func (b *Baker) Plan(ctx context.Context, r Request) (Plan, error) {
	r.Name = cmp.Or(r.Name, r.Source.Name)
	p := Plan{Source: r.Source, Name: r.Name, Group: r.Source.ResourceGroup, Region: r.Source.Location, request: r}
	if err := catalog.ValidateBakedName(r.Name); err != nil {
		return p, err
	}
	fail := func(err error) (Plan, error) {
		return p, &errkind.Error{Kind: errkind.Of(err), Op: "bake an image of", Resource: r.Source.Name, Err: err}
	}
	p.key = change.KeyOf(r.Source.VMID, p.Group, r.Name)
	p.Builder = r.Name[:min(len(r.Name), 54-len("-bake-")-len(p.key))] + "-bake-" + p.key
	resp, err := b.Azure.VMs().Get(ctx, p.Group, r.Source.Name, nil)
	if err != nil {
		return p, azure.Wrap("bake an image of", r.Source.Name, err)
	}
	if err := b.read(ctx, &p, &resp.VirtualMachine); err != nil {
		return fail(err)
	}
	if err := b.earlier(ctx, &p); err != nil {
		return fail(err)
	}
	if r.Abandon {
		return p, nil
	}
	if err := p.judge(); err != nil {
		return fail(err)
	}
	if p.built || p.published {
		return p, nil
	}
	wanted := p.config.Wanted(1)
	judgement, err := b.Catalog.Judge(ctx, b.Catalog.Offer(ctx, wanted.Region, wanted.Size), wanted)
	if err != nil {
		return fail(err)
	}
	p.Notes = judgement.Notes
	return p, nil
}

// read determines the temporary VM and the image to make.
func (b *Baker) read(ctx context.Context, p *Plan, m *armcompute.VirtualMachine) (err error) {
	g, gctx := errgroup.WithContext(ctx)
	var config provision.Config
	diskID, err := config.CopyOf(m)
	if err != nil {
		return err
	}
	g.Go(func() error {
		id, err := azure.ParseID(diskID)
		if err != nil {
			return err
		}
		disk, err := b.Azure.Disks().Get(gctx, id.ResourceGroup, id.Name(), nil)
		p.disk = disk.Disk
		return azure.Wrap("get disk", id.Name(), err)
	})
	g.Go(func() error {
		found, err := b.Azure.GalleryImages().Get(gctx, p.Group, catalog.GalleryName, p.Name, nil)
		if err == nil {
			p.definition = &found.GalleryImage
			return nil
		}
		if err := azure.Wrap("get image", p.Name, err); !azure.IsNotFound(err) {
			return err
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return err
	}
	if d := p.disk.Properties; d != nil && d.DiskSizeGB != nil {
		p.DiskGB = int(*d.DiskSizeGB)
	}
	config.Name, config.ResourceGroup, config.Region, config.Owner = p.Builder, p.Group, p.Region, b.Owner
	config.Size, config.OperationID = cmp.Or(p.request.Size, p.Source.VMSize), change.CopyID(change.Bake, p.key)
	config.Private, config.SubnetID, config.Source = true, p.Source.Subnet, p.Source.Name
	if len(m.Zones) > 0 && m.Zones[0] != nil && p.request.Size == "" { // where the size is known to be available
		config.Zone = *m.Zones[0]
	}
	p.Size, p.config = config.Size, config
	return nil
}

// earlier looks for the remains of an interrupted request. Without any, the version is new.
func (b *Baker) earlier(ctx context.Context, p *Plan) error {
	p.Version = versionOf(b.Azure.Clock().Now())
	resp, err := b.Azure.VMs().Get(ctx, p.Group, p.Builder, nil)
	if err := azure.Wrap("get vm", p.Builder, err); err != nil && !azure.IsNotFound(err) {
		return err
	}
	if err == nil {
		tags := azure.Tags(resp.Tags)
		tag, _ := azure.Tag(tags, azure.TagImage)
		name, version, _ := strings.Cut(tag, ":")
		if !azure.Managed(tags) || name != p.Name || version == "" {
			return errkind.New(errkind.Conflict, "there is a VM %s in %s that did not come of this", p.Builder, p.Group)
		}
		p.Version, p.Resumes, p.built = version, true, true
		_, state, err := b.version(ctx, *p)
		p.published = state == armcompute.GalleryProvisioningStateSucceeded
		return err
	}
	// Before the temporary VM exists, and after it is deleted, resources of it may be left.
	left, err := b.VMs.Delete(ctx, vm.Ref{ResourceGroup: p.Group, Name: p.Builder}, vm.DeleteOptions{DryRun: true})
	if err != nil || left.TotalResources == 0 {
		return err
	}
	p.Resumes = true
	unfinished, err := b.Provisioner.Unfinished(ctx, p.Group)
	if err != nil {
		return err
	}
	for _, u := range unfinished {
		if name, version, _ := strings.Cut(u.Image, ":"); u.ID == p.config.OperationID && name == p.Name && version != "" {
			p.Version = version
			_, state, err := b.version(ctx, *p)
			p.published = state == armcompute.GalleryProvisioningStateSucceeded
			return err
		}
	}
	snapshot, err := b.Azure.Snapshots().Get(ctx, p.Group, p.snapshotName(), nil)
	if err := azure.Wrap("get snapshot", p.snapshotName(), err); err != nil {
		if azure.IsNotFound(err) {
			return nil
		}
		return err
	}
	if at := created(azure.Tags(snapshot.Tags)); !at.IsZero() {
		p.Version = versionOf(at)
	}
	return nil
}

// versionOf names a version after the time of its content.
func versionOf(at time.Time) string {
	at = at.UTC()
	return fmt.Sprintf("%d.%d.%d", at.Year(), int(at.Month())*100+at.Day(), at.Hour()*10000+at.Minute()*100+at.Second())
}

// Begun is the time of the image's content, in UTC: the start time of the resumed bake. Zero: a new bake.
func (p Plan) Begun() time.Time {
	var year, day, clock int
	if n, err := fmt.Sscanf(p.Version, "%d.%d.%d", &year, &day, &clock); !p.Resumes || n != 3 || err != nil {
		return time.Time{}
	}
	return time.Date(year, time.Month(day/100), day%100, clock/10000, clock/100%100, clock%100, 0, time.UTC)
}

func stateOf(v *armcompute.GalleryImageVersion) armcompute.GalleryProvisioningState {
	if v == nil || v.Properties == nil || v.Properties.ProvisioningState == nil {
		return ""
	}
	return *v.Properties.ProvisioningState
}

// operation is the mark of this request's resources.
func (p Plan) operation() string {
	return change.Mark{Kind: change.Bake, ID: p.key, Step: change.StepDone}.String()
}

// again is the next step that repeats the request.
func (p Plan) again() errkind.Step {
	return errkind.Step{Action: errkind.BakeImage, VM: p.Source.Name, Group: p.Group, Name: p.Name, Size: p.request.Size}
}

// judge refuses an existing image name to which this VM's disk cannot add a version.
func (p Plan) judge() error {
	if p.definition == nil || p.definition.Properties == nil {
		return nil
	}
	have, want := p.definition.Properties, p.properties()
	conflict := func(what, have, want string) error {
		e := errkind.New(errkind.Conflict, "image %s is %s, and this VM %s: choose another name", p.Name, have, want)
		e.Next = errkind.Step{Action: errkind.BakeImage, VM: p.Source.Name, Group: p.Group, Name: p.Name + "-" + what}
		return e
	}
	switch {
	case !azure.Managed(azure.Tags(p.definition.Tags)):
		return errkind.New(errkind.Conflict, "gallery %s has an image %s that is not azlin's: choose another name", catalog.GalleryName, p.Name)
	case value(have.OSState) != value(want.OSState):
		return conflict("general", string(value(have.OSState)), "would be generalized")
	case value(have.Architecture) != "" && value(have.Architecture) != value(want.Architecture):
		return conflict(strings.ToLower(string(value(want.Architecture))), "for "+string(value(have.Architecture)), "is "+string(value(want.Architecture)))
	case value(have.HyperVGeneration) != value(want.HyperVGeneration):
		return conflict(strings.ToLower(string(value(want.HyperVGeneration))), "of generation "+string(value(have.HyperVGeneration)), "of generation "+string(value(want.HyperVGeneration)))
	case !strings.EqualFold(securityOf(have), securityOf(want)):
		return conflict("2", "for security type "+cmp.Or(securityOf(have), "Standard"), "of "+cmp.Or(securityOf(want), "Standard"))
	}
	return nil
}

// Names of image features.
const (
	securityType    = "SecurityType"
	diskControllers = "DiskControllerTypes"
)

// securityOf is the security type of an image's VMs; empty: Azure's standard one.
func securityOf(p *armcompute.GalleryImageProperties) string {
	for _, f := range p.Features {
		if f != nil && strings.EqualFold(value(f.Name), securityType) {
			return value(f.Value)
		}
	}
	return ""
}

// properties describes the image that is made from the VM's disk.
func (p Plan) properties() *armcompute.GalleryImageProperties {
	props := &armcompute.GalleryImageProperties{
		OSType: to.Ptr(armcompute.OperatingSystemTypesLinux), OSState: to.Ptr(armcompute.OperatingSystemStateTypesGeneralized),
		HyperVGeneration: to.Ptr(armcompute.HyperVGenerationV1), Architecture: to.Ptr(armcompute.ArchitectureX64),
		Identifier: &armcompute.GalleryImageIdentifier{Publisher: new("azlin"), Offer: new(p.Group), SKU: new(p.Name)},
	}
	if d := p.disk.Properties; d != nil {
		if d.HyperVGeneration != nil {
			props.HyperVGeneration = d.HyperVGeneration
		}
		if c := d.SupportedCapabilities; c != nil {
			if c.Architecture != nil {
				props.Architecture = c.Architecture
			}
			if list := value(c.DiskControllerTypes); list != "" {
				props.Features = append(props.Features, &armcompute.GalleryImageFeature{Name: new(diskControllers), Value: new(list)})
			}
		}
	}
	if p.config.Copy.TrustedLaunch { // an image of such a VM requires it
		props.Features = append(props.Features, &armcompute.GalleryImageFeature{Name: new(securityType), Value: new("TrustedLaunch")})
	}
	return props
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// tags returns the tags of everything that stays.
func (b *Baker) tags(p Plan, operation string) map[string]*string {
	tags := map[string]string{
		azure.TagManagedBy: azure.ManagedBy, azure.TagCreated: b.Azure.Clock().Now().UTC().Format(time.RFC3339), azure.TagSource: p.Source.Name,
	}
	if b.Owner != "" {
		tags[azure.TagOwner] = b.Owner
	}
	if operation != "" {
		tags[azure.TagOperation] = operation
	}
	return azure.SDKTags(tags)
}
