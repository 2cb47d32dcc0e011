package catalog

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// GalleryName is the name of the gallery in a resource group that holds the images azlin baked there.
const GalleryName = "azlin"

var (
	bakedName    = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,52}[A-Za-z0-9])?$`)
	imageVersion = regexp.MustCompile(`^\d{1,10}\.\d{1,10}\.\d{1,10}$`)
)

// ValidateImage checks a value of Config.Image: publisher:offer:sku:version; NAME or NAME:VERSION of an image in azlin's
// gallery; an ARM id; or empty.
func ValidateImage(image string) error {
	parts := strings.Split(image, ":")
	switch {
	case image == "":
		return nil
	case strings.HasPrefix(image, "/"):
		if id, err := azure.ParseID(image); err == nil && strings.EqualFold(id.Provider, "Microsoft.Compute") {
			return nil
		}
		return errkind.New(errkind.Invalid, "%q is not the id of an image", image)
	case len(parts) == 4 && !slices.Contains(parts, "") && !strings.ContainsAny(image, "/?#% \t\n"):
		return nil
	case len(parts) == 1 && bakedName.MatchString(image), len(parts) == 2 && bakedName.MatchString(parts[0]) && imageVersion.MatchString(parts[1]):
		return nil
	}
	return errkind.New(errkind.Invalid, "image %q: give publisher:offer:sku:version, the name of an image that was baked, or an ARM id", image)
}

// ValidateBakedName checks the name of an image that azlin is to make.
func ValidateBakedName(name string) error {
	if !bakedName.MatchString(name) {
		return errkind.New(errkind.Invalid, "image name %q: use 1 to 54 letters, digits and hyphens, and no hyphen at an end", name)
	}
	return nil
}

// galleryImage reads an image of a gallery: whether a region has it, and what size it requires (galleryImages/get, and
// galleryImageVersions/list or get). id is the id of a version, or of an image, which means its newest version in the
// region.
func (s *Service) galleryImage(ctx context.Context, region, id string) (ImageChoice, error) {
	parsed, err := azure.ParseID(id)
	if err != nil {
		return ImageChoice{}, errkind.New(errkind.Invalid, "%q is not the id of an image", id)
	}
	if len(parsed.Names) < 2 || len(parsed.Names) > 3 {
		return ImageChoice{}, errkind.New(errkind.Invalid, "%q is not the id of an image in a gallery, or of a version of one", id)
	}
	if !strings.EqualFold(parsed.Subscription, s.azure.SubscriptionID()) {
		return other(id), nil // not a gallery image: Azure judges it
	}
	gallery, name := parsed.Names[0], parsed.Names[1]
	var definition armcompute.GalleryImagesClientGetResponse
	var versions []*armcompute.GalleryImageVersion
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		definition, err = s.azure.GalleryImages().Get(gctx, parsed.ResourceGroup, gallery, name, nil)
		return azure.Wrap("find image", name, err)
	})
	g.Go(func() (err error) {
		if len(parsed.Names) == 3 {
			var one armcompute.GalleryImageVersionsClientGetResponse
			one, err = s.azure.GalleryVersions().Get(gctx, parsed.ResourceGroup, gallery, name, parsed.Names[2], nil)
			versions = append(versions, &one.GalleryImageVersion)
			return azure.Wrap("find image", name+":"+parsed.Names[2], err)
		}
		versions, err = azure.Pages(gctx, "find image "+name, s.azure.GalleryVersions().NewListByGalleryImagePager(parsed.ResourceGroup, gallery, name, nil),
			func(p armcompute.GalleryImageVersionsClientListByGalleryImageResponse) []*armcompute.GalleryImageVersion {
				return p.Value
			})
		return err
	})
	if err := g.Wait(); err != nil {
		if azure.IsNotFound(err) {
			return ImageChoice{}, noSuchImage(parsed.ResourceGroup, gallery, name, err)
		}
		return ImageChoice{}, err
	}
	newest := newestIn(versions, region, len(parsed.Names) == 3)
	if newest == nil {
		return ImageChoice{}, &errkind.Error{
			Kind: errkind.NotFound, Op: "find image", Resource: strings.Join(parsed.Names[1:], ":"),
			Err: fmt.Errorf("region %s has no version of it that is ready", region), Next: errkind.Step{Action: errkind.ListImages},
		}
	}
	img := ImageChoice{Name: name + ":" + azure.Value(newest.Name), SizeGB: sizeOfVersion(newest), Reference: &armcompute.ImageReference{ID: newest.ID}, version: azure.Value(newest.Name)}
	img.readDefinition(definition.Properties)
	return img, nil
}

func noSuchImage(group, gallery, name string, err error) error {
	return &errkind.Error{
		Kind: errkind.NotFound, Op: "find image", Resource: name, Code: azure.Code(err),
		Err: fmt.Errorf("gallery %s of resource group %s has no such image", gallery, group), Next: errkind.Step{Action: errkind.ListImages},
	}
}

// readDefinition copies the image's requirements on the size.
func (img *ImageChoice) readDefinition(p *armcompute.GalleryImageProperties) {
	if p == nil {
		return
	}
	img.arch, img.gen = string(azure.Value(p.Architecture)), string(azure.Value(p.HyperVGeneration))
	for _, f := range p.Features {
		if f != nil && strings.EqualFold(azure.Value(f.Name), "SecurityType") {
			img.Trusted = strings.Contains(azure.Value(f.Value), "TrustedLaunch")
			img.trustedOnly = strings.EqualFold(azure.Value(f.Value), "TrustedLaunch")
		}
	}
}

// newestIn returns the highest version that is ready in a region. Named versions include those excluded from "latest".
func newestIn(versions []*armcompute.GalleryImageVersion, region string, named bool) *armcompute.GalleryImageVersion {
	var newest *armcompute.GalleryImageVersion
	for _, v := range versions {
		if v == nil || v.Properties == nil || v.Properties.PublishingProfile == nil {
			continue
		}
		p, state := v.Properties.PublishingProfile, azure.Value(v.Properties.ProvisioningState)
		there := slices.ContainsFunc(p.TargetRegions, func(r *armcompute.TargetRegion) bool {
			return r != nil && azure.SameRegion(azure.Value(r.Name), region)
		})
		ready := state == armcompute.GalleryProvisioningStateSucceeded || state == armcompute.GalleryProvisioningStateUpdating
		if !there || !ready || azure.Value(p.ExcludeFromLatest) && !named {
			continue
		}
		if newest == nil || CompareVersions(azure.Value(v.Name), azure.Value(newest.Name)) > 0 {
			newest = v
		}
	}
	return newest
}

func sizeOfVersion(v *armcompute.GalleryImageVersion) int {
	if v.Properties == nil || v.Properties.StorageProfile == nil || v.Properties.StorageProfile.OSDiskImage == nil {
		return 0
	}
	return int(azure.Value(v.Properties.StorageProfile.OSDiskImage.SizeInGB))
}

// CompareVersions compares image versions number by number, for slices.SortFunc.
func CompareVersions(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(as), len(bs)) {
		x, errX := strconv.ParseUint(as[i], 10, 64)
		y, errY := strconv.ParseUint(bs[i], 10, 64)
		switch {
		case errX != nil || errY != nil: // Azure issues no such versions
			return strings.Compare(a, b)
		case x < y:
			return -1
		case x > y:
			return 1
		}
	}
	return len(as) - len(bs)
}
