package emulator_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/host"
)

// shelf is a lab with clients of galleries.
type shelf struct {
	*lab
	galleries *armcompute.GalleriesClient
	images    *armcompute.GalleryImagesClient
	versions  *armcompute.GalleryImageVersionsClient
}

func newShelf(t *testing.T, o emulator.Options) *shelf {
	t.Helper()
	l := newLab(t, o)
	sub := l.e.Identity().SubscriptionID
	return &shelf{
		l, must(armcompute.NewGalleriesClient(sub, l.cred, l.opt)), must(armcompute.NewGalleryImagesClient(sub, l.cred, l.opt)),
		must(armcompute.NewGalleryImageVersionsClient(sub, l.cred, l.opt)),
	}
}

// definition is an image for VMs as spec makes them.
func definition(sku string) armcompute.GalleryImage {
	return armcompute.GalleryImage{Location: new("westus2"), Properties: &armcompute.GalleryImageProperties{
		OSType: new(armcompute.OperatingSystemTypesLinux), OSState: new(armcompute.OperatingSystemStateTypesGeneralized),
		HyperVGeneration: new(armcompute.HyperVGenerationV2), Architecture: new(armcompute.ArchitectureX64),
		Identifier: &armcompute.GalleryImageIdentifier{Publisher: new("us"), Offer: new("ours"), SKU: new(sku)},
	}}
}

func (s *shelf) gallery() {
	s.Helper()
	finish[armcompute.GalleriesClientCreateOrUpdateResponse](s.lab)(s.galleries.BeginCreateOrUpdate(s.Context(), group, "shelf", armcompute.Gallery{Location: new("westus2")}, nil))
}

func (s *shelf) image(name string, i armcompute.GalleryImage) {
	s.Helper()
	finish[armcompute.GalleryImagesClientCreateOrUpdateResponse](s.lab)(s.images.BeginCreateOrUpdate(s.Context(), group, "shelf", name, i, nil))
}

func fromVM(id string) armcompute.GalleryImageVersion {
	return armcompute.GalleryImageVersion{Location: new("westus2"), Properties: &armcompute.GalleryImageVersionProperties{
		StorageProfile: &armcompute.GalleryImageVersionStorageProfile{Source: &armcompute.GalleryArtifactVersionFullSource{VirtualMachineID: &id}},
	}}
}

func (s *shelf) publish(image, version string, v armcompute.GalleryImageVersion) (armcompute.GalleryImageVersionsClientCreateOrUpdateResponse, error) {
	s.Helper()
	poller, err := s.versions.BeginCreateOrUpdate(s.Context(), group, "shelf", image, version, v, nil)
	if err != nil {
		return armcompute.GalleryImageVersionsClientCreateOrUpdateResponse{}, err
	}
	return poller.PollUntilDone(s.Context(), nil)
}

// generalized makes a VM that is ready to become an image.
func (s *shelf) generalized(name string) string {
	s.Helper()
	id := *s.vm(name).ID
	finish[armcompute.VirtualMachinesClientDeallocateResponse](s.lab)(s.vms.BeginDeallocate(s.Context(), group, name, nil))
	if _, err := s.vms.Generalize(s.Context(), group, name, nil); err != nil {
		s.Fatal(err)
	}
	return id
}

// fromImage is a VM as spec makes them, but for its image.
func fromImage(name, nic, image string) armcompute.VirtualMachine {
	body := spec(name, nic)
	body.Properties.StorageProfile.ImageReference = &armcompute.ImageReference{ID: &image}
	return body
}

// TestGalleries makes an image of a VM, and VMs from it, with the official clients.
func TestGalleries(t *testing.T) {
	t.Parallel()
	s := newShelf(t, emulator.Options{})
	ctx := t.Context()
	s.network()
	s.gallery()
	got := must(s.galleries.Get(ctx, group, "shelf", nil))
	if p := got.Properties; *p.ProvisioningState != armcompute.GalleryProvisioningStateSucceeded || !strings.HasSuffix(*p.Identifier.UniqueName, "-SHELF") {
		t.Errorf("gallery: %+v", p)
	}
	s.image("base", definition("base"))
	id := s.generalized("a")
	for _, version := range []string{"1.0.9", "1.0.10"} {
		if _, err := s.publish("base", version, fromVM(id)); err != nil {
			t.Fatal(err)
		}
	}
	v := must(s.versions.Get(ctx, group, "shelf", "base", "1.0.9", &armcompute.GalleryImageVersionsClientGetOptions{Expand: new(armcompute.ReplicationStatusTypesReplicationStatus)}))
	if p := v.Properties; *p.StorageProfile.OSDiskImage.SizeInGB != 30 || *p.PublishingProfile.TargetRegions[0].Name != "West US 2" || *p.ReplicationStatus.AggregatedState != armcompute.AggregatedReplicationStateCompleted {
		t.Errorf("version: %+v", p)
	}
	some(s.lab, "galleries", pages(s.lab, s.galleries.NewListPager(nil), func(r armcompute.GalleriesClientListResponse) []*armcompute.Gallery { return r.Value }), 1)
	some(s.lab, "galleries of the group", pages(s.lab, s.galleries.NewListByResourceGroupPager(group, nil), func(r armcompute.GalleriesClientListByResourceGroupResponse) []*armcompute.Gallery { return r.Value }), 1)
	some(s.lab, "images", pages(s.lab, s.images.NewListByGalleryPager(group, "shelf", nil), func(r armcompute.GalleryImagesClientListByGalleryResponse) []*armcompute.GalleryImage { return r.Value }), 1)
	some(s.lab, "versions", pages(s.lab, s.versions.NewListByGalleryImagePager(group, "shelf", "base", nil), func(r armcompute.GalleryImageVersionsClientListByGalleryImageResponse) []*armcompute.GalleryImageVersion {
		return r.Value
	}), 2)
	finish[armcompute.GalleriesClientUpdateResponse](s.lab)(s.galleries.BeginUpdate(ctx, group, "shelf", armcompute.GalleryUpdate{Tags: map[string]*string{"a": new("b")}}, nil))
	finish[armcompute.GalleryImagesClientUpdateResponse](s.lab)(s.images.BeginUpdate(ctx, group, "shelf", "base", armcompute.GalleryImageUpdate{Properties: &armcompute.GalleryImageProperties{Description: new("ours")}}, nil))
	changed := finish[armcompute.GalleryImageVersionsClientUpdateResponse](s.lab)(s.versions.BeginUpdate(ctx, group, "shelf", "base", "1.0.9", armcompute.GalleryImageVersionUpdate{Tags: map[string]*string{"a": new("b")}}, nil))
	if *changed.Tags["a"] != "b" || *must(s.galleries.Get(ctx, group, "shelf", nil)).Tags["a"] != "b" || *must(s.images.Get(ctx, group, "shelf", "base", nil)).Properties.Description != "ours" {
		t.Error("a change is not there")
	}

	image := *must(s.images.Get(ctx, group, "shelf", "base", nil)).ID
	for name, test := range map[string]struct{ image, exact string }{"latest": {image, "1.0.10"}, "one": {image + "/versions/1.0.9", "1.0.9"}} {
		nic, _ := s.nic(name)
		made := finish[armcompute.VirtualMachinesClientCreateOrUpdateResponse](s.lab)(s.vms.BeginCreateOrUpdate(ctx, group, name, fromImage(name, *nic.ID, test.image), nil))
		disk := must(s.disks.Get(ctx, group, *made.Properties.StorageProfile.OSDisk.Name, nil))
		if exact := *made.Properties.StorageProfile.ImageReference.ExactVersion; exact != test.exact || !strings.HasSuffix(*disk.Properties.CreationData.GalleryImageReference.ID, "/versions/"+test.exact) {
			t.Errorf("%s: made from %s, %+v", name, exact, disk.Properties.CreationData)
		}
	}
	for _, version := range []string{"1.0.9", "1.0.10"} {
		finish[armcompute.GalleryImageVersionsClientDeleteResponse](s.lab)(s.versions.BeginDelete(ctx, group, "shelf", "base", version, nil))
	}
	finish[armcompute.GalleryImagesClientDeleteResponse](s.lab)(s.images.BeginDelete(ctx, group, "shelf", "base", nil))
	finish[armcompute.GalleriesClientDeleteResponse](s.lab)(s.galleries.BeginDelete(ctx, group, "shelf", nil))
	some(s.lab, "galleries that are left", pages(s.lab, s.galleries.NewListPager(nil), func(r armcompute.GalleriesClientListResponse) []*armcompute.Gallery { return r.Value }), 0)
}

// TestGalleryRefusals asks for what Azure refuses.
func TestGalleryRefusals(t *testing.T) {
	t.Parallel()
	s := newShelf(t, emulator.Options{})
	ctx := t.Context()
	s.network()
	s.gallery()
	with := func(sku string, change func(*armcompute.GalleryImageProperties)) armcompute.GalleryImage {
		d := definition(sku)
		change(d.Properties)
		return d
	}
	trusted := []*armcompute.GalleryImageFeature{{Name: new("SecurityType"), Value: new("TrustedLaunch")}}
	s.image("base", definition("base"))
	s.image("old", with("old", func(p *armcompute.GalleryImageProperties) { p.HyperVGeneration = new(armcompute.HyperVGenerationV1) }))
	s.image("arm", with("arm", func(p *armcompute.GalleryImageProperties) { p.Architecture = new(armcompute.ArchitectureArm64) }))
	s.image("supported", with("supported", func(p *armcompute.GalleryImageProperties) {
		p.Features = []*armcompute.GalleryImageFeature{{Name: new("SecurityType"), Value: new("TrustedLaunchSupported")}}
	}))
	s.image("trusted", with("trusted", func(p *armcompute.GalleryImageProperties) { p.Features = trusted }))
	running, general := *s.vm("r").ID, s.generalized("g")

	secured := spec("t", "")
	nic, _ := s.nic("t")
	secured.Properties.NetworkProfile.NetworkInterfaces[0].ID = nic.ID
	secured.Properties.SecurityProfile = &armcompute.SecurityProfile{SecurityType: new(armcompute.SecurityTypesTrustedLaunch)}
	t1 := finish[armcompute.VirtualMachinesClientCreateOrUpdateResponse](s.lab)(s.vms.BeginCreateOrUpdate(ctx, group, "t", secured, nil))
	finish[armcompute.VirtualMachinesClientDeallocateResponse](s.lab)(s.vms.BeginDeallocate(ctx, group, "t", nil))
	if _, err := s.vms.Generalize(ctx, group, "t", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.publish("trusted", "1.0.0", fromVM(*t1.ID)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.publish("base", "1.0.0", fromVM(general)); err != nil {
		t.Fatal(err)
	}
	elsewhere := fromVM(general)
	elsewhere.Properties.PublishingProfile = &armcompute.GalleryImageVersionPublishingProfile{TargetRegions: []*armcompute.TargetRegion{{Name: new("East US")}}}
	start := func(image, name string, change func(*armcompute.VirtualMachine)) func() error {
		return func() error {
			nic, _ := s.nic(name)
			full := *must(s.galleries.Get(ctx, group, "shelf", nil)).ID + "/images/" + image
			body := fromImage(name, *nic.ID, full)
			if change != nil {
				change(&body)
			}
			_, err := s.vms.BeginCreateOrUpdate(ctx, group, name, body, nil)
			return err
		}
	}
	put := func(gallery, name string, i armcompute.GalleryImage) func() error {
		return func() error {
			_, err := s.images.BeginCreateOrUpdate(ctx, group, gallery, name, i, nil)
			return err
		}
	}
	version := func(image, name string, v armcompute.GalleryImageVersion) func() error {
		return func() error { _, err := s.publish(image, name, v); return err }
	}
	for name, test := range map[string]struct {
		do         func() error
		code, says string
	}{
		"a running VM":              {version("base", "1.0.1", fromVM(running)), "BadRequest", "has a different OS state ['Specialized'] than the parent gallery image OS state ['Generalized']"},
		"another generation":        {version("old", "1.0.1", fromVM(general)), "Conflict", "has a different Hypervisor generation ['V2'] than the parent gallery image Hypervisor generation ['V1']"},
		"another architecture":      {version("arm", "1.0.1", fromVM(general)), "Conflict", "different architecture"},
		"trusted launch supported":  {version("supported", "1.0.1", fromVM(general)), "InvalidParameter", "Currently only Vhd Blob, User Image and Gallery Image Version sources are supported"},
		"not trusted launch":        {version("trusted", "1.0.1", fromVM(general)), "Conflict", "different security type"},
		"a VM with trusted launch":  {version("base", "1.0.1", fromVM(*t1.ID)), "Conflict", "different security type"},
		"a VM that is not there":    {version("base", "1.0.1", fromVM(general+"x")), "ResourceNotFound", "gx"},
		"not at home":               {version("base", "1.0.1", elsewhere), "InvalidParameter", "must contain the location"},
		"a name":                    {version("base", "1.0", fromVM(general)), "InvalidParameter", "1.0"},
		"another source":            {version("base", "1.0.0", fromVM(running)), "PropertyChangeNotAllowed", "virtualMachineId"},
		"no gallery":                {put("none", "base", definition("x")), "ParentResourceNotFound", "galleries/none"},
		"the same identifier":       {put("shelf", "twin", definition("base")), "Conflict", "same combination"},
		"another identifier":        {put("shelf", "base", definition("y")), "PropertyChangeNotAllowed", "identifier.sku"},
		"no system":                 {put("shelf", "z", with("z", func(p *armcompute.GalleryImageProperties) { p.OSType = nil })), "InvalidParameter", "osType"},
		"an image that is not":      {start("nothing", "v1", nil), "GalleryImageNotFound", "is not available in westus2 region"},
		"an image without versions": {start("old", "v2", nil), "GalleryImageNotFound", "old"},
		"only trusted launch":       {start("trusted", "v3", nil), "BadRequest", "The provided gallery image only supports creation of VMs and VM Scale Sets with 'TrustedLaunch' security type."},
		"never trusted launch": {start("base", "v4", func(m *armcompute.VirtualMachine) {
			m.Properties.SecurityProfile = &armcompute.SecurityProfile{SecurityType: new(armcompute.SecurityTypesTrustedLaunch)}
		}), "BadRequest", "not compatible"},
		"a small disk": {start("base", "v5", func(m *armcompute.VirtualMachine) { m.Properties.StorageProfile.OSDisk.DiskSizeGB = new(int32(8)) }), "ResizeDiskError", "30 GB"},
		"versions in it": {func() error {
			_, err := s.images.BeginDelete(ctx, group, "shelf", "base", nil)
			return err
		}, "CannotDeleteResource", "before nested resources are deleted"},
		"images in it": {func() error {
			_, err := s.galleries.BeginDelete(ctx, group, "shelf", nil)
			return err
		}, "CannotDeleteResource", "before nested resources are deleted"},
		"started again": {func() error {
			_, err := s.vms.BeginStart(ctx, group, "g", nil)
			return err
		}, "OperationNotAllowed", "generalized"},
	} {
		err := test.do()
		if err == nil || !strings.Contains(err.Error(), "ERROR CODE: "+test.code) && !strings.Contains(err.Error(), `"code": "`+test.code+`"`) || !strings.Contains(strings.Join(strings.Fields(err.Error()), " "), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A group is deleted with all that is in it.
	finish[armresources.ResourceGroupsClientDeleteResponse](s.lab)(s.groups.BeginDelete(ctx, group, nil))
	if n := s.e.Counts().Resources["Microsoft.Compute/galleries"]; n != 0 {
		t.Errorf("%d galleries are left", n)
	}
}

// TestImagesHaveContent: a VM that is made from an image begins with what was on the disk of the VM that the image was
// made of, is set up as a new one, and has host keys of its own.
func TestImagesHaveContent(t *testing.T) {
	t.Parallel()
	rt, err := host.Open(host.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rt.Close() })
	if err := rt.Available(); err != nil {
		t.Skipf("VMs do not boot here: %v", err)
	}
	s := newShelf(t, emulator.Options{Hosts: rt, OperatorIP: netip.MustParseAddr("203.0.113.10")})
	ctx := t.Context()
	s.network()
	s.gallery()
	s.image("base", definition("base"))
	s.vm("one")
	const keys = "cut -d' ' -f2 /etc/ssh/ssh_host_ed25519_key.pub"
	first := runScript(s.lab, "one", keys)
	runScript(s.lab, "one", "echo baked > /opt/baked; userdel --force --remove azureuser; cloud-init clean --logs --machine-id")
	if left := runScript(s.lab, "one", "ls /home; cat /etc/machine-id; ls /var/lib/cloud; ls /var/log/cloud-init.log"); strings.TrimSpace(left) != "uninitialized" {
		t.Fatalf("the VM still has %q", left)
	}
	finish[armcompute.VirtualMachinesClientDeallocateResponse](s.lab)(s.vms.BeginDeallocate(ctx, group, "one", nil))
	if _, err := s.vms.Generalize(ctx, group, "one", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.publish("base", "1.0.0", fromVM(*must(s.vms.Get(ctx, group, "one", nil)).ID)); err != nil {
		t.Fatal(err)
	}
	finish[armcompute.VirtualMachinesClientDeleteResponse](s.lab)(s.vms.BeginDelete(ctx, group, "one", nil)) // the image does not need it
	nic, _ := s.nic("two")
	image := *must(s.images.Get(ctx, group, "shelf", "base", nil)).ID
	finish[armcompute.VirtualMachinesClientCreateOrUpdateResponse](s.lab)(s.vms.BeginCreateOrUpdate(ctx, group, "two", fromImage("two", *nic.ID, image), nil))
	if got := runScript(s.lab, "two", "cat /opt/baked; hostname; id -un azureuser; test -s /home/azureuser/.ssh/authorized_keys && echo let in"); got != "baked\ntwo\nazureuser\nlet in\n" {
		t.Errorf("the VM says %q", got)
	}
	if second := runScript(s.lab, "two", keys); second == first || second == "" {
		t.Errorf("host keys %q and %q", first, second)
	}
}

// runScript is what Run Command prints.
func runScript(l *lab, vm, script string) string {
	l.Helper()
	out := finish[armcompute.VirtualMachinesClientRunCommandResponse](l)(l.vms.BeginRunCommand(l.Context(), group, vm, armcompute.RunCommandInput{
		CommandID: new("RunShellScript"), Script: []*string{&script},
	}, nil))
	_, said, _ := strings.Cut(*out.Value[0].Message, "[stdout]\n")
	said, _, _ = strings.Cut(said, "\n[stderr]")
	return said
}
