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
}

// chooseImage finds the image: the one named, else Ubuntu 24.04 for the size's architecture and
// generation.
func (s *Service) chooseImage(ctx context.Context, region string, size Size, name string) (image, error) {
	switch {
	case name == "":
		return ubuntu(size), nil
	case strings.HasPrefix(name, "/"):
		id, err := azure.ParseID(name)
		if err != nil || !strings.EqualFold(id.Provider, "Microsoft.Compute") {
			return image{}, errkind.New(errkind.Invalid, "%q is not the id of an image", name)
		}
		return image{ref: &armcompute.ImageReference{ID: new(name)}}, nil
	}
	parts := strings.Split(name, ":")
	if len(parts) != 4 || slices.Contains(parts, "") {
		return image{}, errkind.New(errkind.Invalid, "image %q: give publisher:offer:sku:version or an ARM id", name)
	}
	img, err := s.marketplace(ctx, region, parts)
	if err != nil {
		return image{}, err
	}
	if img.arch != "" && !strings.EqualFold(img.arch, size.Architecture) {
		return image{}, errkind.New(errkind.Invalid, "image %q is for %s, size %s for %s", name, img.arch, size.Name, size.Architecture)
	}
	if img.gen != "" && !slices.Contains(size.Generations, img.gen) {
		return image{}, errkind.New(errkind.Invalid, "image %q is of generation %s, size %s takes %s",
			name, img.gen, size.Name, strings.Join(size.Generations, ", "))
	}
	return img, nil
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
			return image{}, azure.Wrap("find image", strings.Join(p, ":"), err)
		}
		if len(list.VirtualMachineImageResourceArray) == 0 {
			return image{}, errkind.New(errkind.NotFound, "region %s has no image %s", region, strings.Join(p, ":"))
		}
		version = val(list.VirtualMachineImageResourceArray[0].Name)
	}
	resp, err := s.azure.Images().Get(ctx, region, p[0], p[1], p[2], version, nil)
	if err != nil {
		return image{}, azure.Wrap("find image", strings.Join(p, ":"), err)
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

// security is explicit, because Azure's default depends on the api-version. Secure Boot refuses the
// drivers that GPU sizes need.
func (img image) security(size Size, encryptionAtHost bool) *armcompute.SecurityProfile {
	var p *armcompute.SecurityProfile
	switch {
	case img.ref.ID != nil: // the image definition decides, and refuses any other word
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
