package catalog

import (
	"context"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// ImageChoice is what a VM's OS disk is made from.
type ImageChoice struct {
	Name      string // publisher:offer:sku:version, NAME:VERSION of an image in a gallery, or an ARM id
	SizeGB    int    // size of its OS disk; 0: unknown
	Reference *armcompute.ImageReference
	Trusted   bool // can run with trusted launch

	version     string // empty: unknown
	arch        string // "x64", "Arm64"; empty: unknown
	gen         string // "V1", "V2"; empty: unknown
	trustedOnly bool   // requires trusted launch
}

// Image finds the image for a VM of a size. A named image (see ValidateImage), from the marketplace or a gallery, must exist
// and fit the size (virtualMachineImages/get, or galleryImages/get and galleryImageVersions/list). Empty: Ubuntu 24.04 for
// the size's architecture and generation; no request is sent.
func (s *Service) Image(ctx context.Context, group, region string, size Size, name string) (ImageChoice, error) {
	if err := ValidateImage(name); err != nil {
		return ImageChoice{}, err
	}
	parts := strings.Split(name, ":")
	var img ImageChoice
	var err error
	switch {
	case name == "":
		return ubuntu(size), nil
	case strings.Contains(strings.ToLower(name), "/galleries/"):
		img, err = s.galleryImage(ctx, region, name)
	case strings.HasPrefix(name, "/"):
		return other(name), nil
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
		return ImageChoice{}, err
	}
	return img, img.fits(name, size)
}

// fits returns an error for a size that the image cannot run on.
func (img ImageChoice) fits(name string, size Size) error {
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

// ubuntuGB is the size of the OS disk of Canonical's images.
const ubuntuGB = 30

func ubuntu(size Size) ImageChoice {
	img := ImageChoice{arch: size.Architecture, gen: "V2", Trusted: true}
	sku := "server"
	switch {
	case strings.EqualFold(size.Architecture, "Arm64"):
		sku, img.Trusted = "server-arm64", false
	case !slices.Contains(size.Generations, "V2"):
		sku, img.gen, img.Trusted = "server-gen1", "V1", false
	}
	img.refer("Canonical", "ubuntu-24_04-lts", sku, "latest")
	return img
}

// other is an image known by its id only: Azure judges whether it fits.
func other(id string) ImageChoice {
	return ImageChoice{Name: id, Reference: &armcompute.ImageReference{ID: new(id)}}
}

// refer sets the reference to a marketplace image.
func (img *ImageChoice) refer(publisher, offer, sku, version string) {
	img.Name = strings.Join([]string{publisher, offer, sku, version}, ":")
	img.Reference = &armcompute.ImageReference{
		Publisher: new(publisher), Offer: new(offer), SKU: new(sku), Version: new(version),
	}
	if strings.EqualFold(publisher, "Canonical") {
		img.SizeGB = ubuntuGB
	}
}

// marketplace reads an image version's requirements on the size.
func (s *Service) marketplace(ctx context.Context, region string, p []string) (ImageChoice, error) {
	version := p[3]
	if strings.EqualFold(version, "latest") {
		list, err := s.azure.Images().List(ctx, region, p[0], p[1], p[2], &armcompute.VirtualMachineImagesClientListOptions{
			Top: to.Ptr[int32](1), Orderby: new("name desc"),
		})
		if err != nil {
			return ImageChoice{}, imageError(p, err)
		}
		if len(list.VirtualMachineImageResourceArray) == 0 {
			return ImageChoice{}, imageError(p, errkind.New(errkind.NotFound, "region %s has no such image", region))
		}
		version = azure.Value(list.VirtualMachineImageResourceArray[0].Name)
	}
	resp, err := s.azure.Images().Get(ctx, region, p[0], p[1], p[2], version, nil)
	if err != nil {
		return ImageChoice{}, imageError(p, err)
	}
	img := ImageChoice{version: version}
	img.refer(p[0], p[1], p[2], p[3])
	if props := resp.Properties; props != nil {
		img.arch, img.gen = string(azure.Value(props.Architecture)), string(azure.Value(props.HyperVGeneration))
		for _, f := range props.Features {
			if f != nil && strings.EqualFold(azure.Value(f.Name), "SecurityType") && strings.Contains(azure.Value(f.Value), "TrustedLaunch") {
				img.Trusted = true
			}
		}
	}
	return img, nil
}

// imageError names the image and where to find others.
func imageError(p []string, err error) error {
	err = azure.Wrap("find image", strings.Join(p, ":"), err)
	if errkind.Of(err) != errkind.NotFound {
		return err
	}
	return &errkind.Error{Err: err, Next: errkind.Step{Action: errkind.ListMarketplace, Name: p[0]}}
}

// Security is the security profile of a VM from the image. It is always explicit, because Azure's default depends on the
// api-version. Secure Boot is off for GPU sizes, because it rejects their drivers.
func (img ImageChoice) Security(size Size, encryptionAtHost bool) *armcompute.SecurityProfile {
	var p *armcompute.SecurityProfile
	switch {
	case img.Reference.ID != nil && img.gen == "": // its security type is unknown, and it accepts no other
	case img.Trusted && size.TrustedLaunch:
		p = &armcompute.SecurityProfile{
			SecurityType: to.Ptr(armcompute.SecurityTypesTrustedLaunch),
			UefiSettings: &armcompute.UefiSettings{SecureBootEnabled: new(size.GPUs == 0), VTpmEnabled: new(true)},
		}
	default:
		p = &armcompute.SecurityProfile{SecurityType: to.Ptr(armcompute.SecurityTypesStandard)}
	}
	if encryptionAtHost { // never sent as false: Azure may refuse that too
		if p == nil {
			p = &armcompute.SecurityProfile{}
		}
		p.EncryptionAtHost = new(true)
	}
	return p
}
