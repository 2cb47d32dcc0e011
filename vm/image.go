package vm

import (
	"context"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// image is what a VM's OS disk is made from.
type image struct {
	ref     *armcompute.ImageReference
	version string // empty: not known
	arch    string // "x64", "Arm64"; empty: not known
	gen     string // "V1", "V2"; empty: not known
	trusted bool   // may run with trusted launch

	trustedOnly bool   // runs with nothing else
	label       string // what people call it; empty: as it is referred to
	sizeGB      int    // of its OS disk; 0: not known
}

// chooseImage finds the image: the one that is named (see ValidateImage), be it in a group's gallery, else Ubuntu 24.04 for
// the size's architecture and generation.
func (s *Service) chooseImage(ctx context.Context, group, region string, size Size, name string) (image, error) {
	if err := ValidateImage(name); err != nil {
		return image{}, err
	}
	parts := strings.Split(name, ":")
	var img image
	var err error
	switch {
	case name == "":
		return ubuntu(size), nil
	case strings.Contains(strings.ToLower(name), "/galleries/"):
		img, err = s.galleryImage(ctx, region, name)
	case strings.HasPrefix(name, "/"):
		return image{ref: &armcompute.ImageReference{ID: new(name)}}, nil
	case len(parts) == 4:
		img, err = s.marketplace(ctx, region, parts)
	default:
		typeAndNames := []string{"galleries", GalleryName, "images", parts[0]}
		if len(parts) == 2 {
			typeAndNames = append(typeAndNames, "versions", parts[1])
		}
		img, err = s.galleryImage(ctx, region, azure.NewID(s.azure.SubscriptionID(), group, "Microsoft.Compute", typeAndNames...).String())
	}
	if err != nil {
		return image{}, err
	}
	return img, img.fits(name, size)
}

// fits refuses a size that the image cannot run on.
func (img image) fits(name string, size Size) error {
	if img.arch != "" && !strings.EqualFold(img.arch, size.Architecture) {
		return errkind.New(errkind.Invalid, "image %q is for %s, size %s for %s", name, img.arch, size.Name, size.Architecture)
	}
	if img.gen != "" && !slices.Contains(size.Generations, img.gen) {
		return errkind.New(errkind.Invalid, "image %q is of generation %s, size %s takes %s",
			name, img.gen, size.Name, strings.Join(size.Generations, ", "))
	}
	if img.trustedOnly && !size.TrustedLaunch {
		return errkind.New(errkind.Invalid, "image %q takes VMs with trusted launch only, which size %s has not", name, size.Name)
	}
	return nil
}

// ImageChoice is what a VM is made from.
type ImageChoice struct {
	Name   string // publisher:offer:sku:version, NAME:VERSION of an image in a gallery, or an ARM id
	SizeGB int    // of its OS disk; 0: not known
}

// ubuntuGB is the size of the OS disk of Canonical's images.
const ubuntuGB = 30

// Image says what c would be made from, on this size: the image that it asks for, once it is known to be there and to fit
// (virtualMachineImages/get, or galleryImages/get and galleryImageVersions/list), else Ubuntu 24.04.
func (s *Service) Image(ctx context.Context, c Config, size Size) (ImageChoice, error) {
	img, err := s.chooseImage(ctx, c.ResourceGroup, c.Region, size, c.Image)
	if err != nil {
		return ImageChoice{}, err
	}
	choice := ImageChoice{Name: img.label, SizeGB: img.sizeGB}
	if choice.Name == "" {
		choice.Name = val(img.ref.ID)
	}
	if choice.Name == "" {
		choice.Name = strings.Join([]string{val(img.ref.Publisher), val(img.ref.Offer), val(img.ref.SKU), val(img.ref.Version)}, ":")
	}
	if strings.EqualFold(val(img.ref.Publisher), "Canonical") {
		choice.SizeGB = ubuntuGB
	}
	return choice, nil
}

func ubuntu(size Size) image {
	img := image{arch: size.Architecture, gen: "V2", trusted: true}
	sku := "server"
	switch {
	case strings.EqualFold(size.Architecture, "Arm64"):
		sku, img.trusted = "server-arm64", false
	case !slices.Contains(size.Generations, "V2"):
		sku, img.gen, img.trusted = "server-gen1", "V1", false
	}
	img.ref = imageReference("Canonical", "ubuntu-24_04-lts", sku, "latest")
	return img
}

func imageReference(publisher, offer, sku, version string) *armcompute.ImageReference {
	return &armcompute.ImageReference{
		Publisher: new(publisher), Offer: new(offer), SKU: new(sku), Version: new(version),
	}
}

// marketplace reads what an image version needs of a size.
func (s *Service) marketplace(ctx context.Context, region string, p []string) (image, error) {
	version := p[3]
	if strings.EqualFold(version, "latest") {
		list, err := s.azure.Images().List(ctx, region, p[0], p[1], p[2], &armcompute.VirtualMachineImagesClientListOptions{
			Top: to.Ptr[int32](1), Orderby: new("name desc"),
		})
		if err != nil {
			return image{}, imageError(p, err)
		}
		if len(list.VirtualMachineImageResourceArray) == 0 {
			return image{}, imageError(p, errkind.New(errkind.NotFound, "region %s has no such image", region))
		}
		version = val(list.VirtualMachineImageResourceArray[0].Name)
	}
	resp, err := s.azure.Images().Get(ctx, region, p[0], p[1], p[2], version, nil)
	if err != nil {
		return image{}, imageError(p, err)
	}
	img := image{ref: imageReference(p[0], p[1], p[2], p[3]), version: version}
	if props := resp.Properties; props != nil {
		img.arch, img.gen = string(val(props.Architecture)), string(val(props.HyperVGeneration))
		for _, f := range props.Features {
			if f != nil && strings.EqualFold(val(f.Name), "SecurityType") && strings.Contains(val(f.Value), "TrustedLaunch") {
				img.trusted = true
			}
		}
	}
	return img, nil
}

// imageError names the image, and where to look for others.
func imageError(p []string, err error) error {
	err = azure.Wrap("find image", strings.Join(p, ":"), err)
	if errkind.Of(err) != errkind.NotFound {
		return err
	}
	return &errkind.Error{Err: err, Next: "azlin images " + p[0] + " lists what there is"}
}

// security is explicit, because Azure's default depends on the api-version. Secure Boot refuses the
// drivers that GPU sizes need.
func (img image) security(size Size, encryptionAtHost bool) *armcompute.SecurityProfile {
	var p *armcompute.SecurityProfile
	switch {
	case img.ref.ID != nil && img.gen == "": // what it was made for is not known, and it refuses any other word
	case img.trusted && size.TrustedLaunch:
		p = &armcompute.SecurityProfile{
			SecurityType: to.Ptr(armcompute.SecurityTypesTrustedLaunch),
			UefiSettings: &armcompute.UefiSettings{SecureBootEnabled: new(size.GPUs == 0), VTpmEnabled: new(true)},
		}
	default:
		p = &armcompute.SecurityProfile{SecurityType: to.Ptr(armcompute.SecurityTypesStandard)}
	}
	if encryptionAtHost { // never sent as false: that can be refused too
		if p == nil {
			p = &armcompute.SecurityProfile{}
		}
		p.EncryptionAtHost = new(true)
	}
	return p
}
