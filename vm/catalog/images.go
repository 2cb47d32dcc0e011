package catalog

import (
	"context"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// Image is one image of the marketplace.
type Image struct {
	Name          string // publisher:offer:sku
	Version       string // the newest
	Architecture  string // "x64", "Arm64"
	Generation    string // "V1", "V2"
	TrustedLaunch bool
}

// ubuntuSKUs are the SKUs azlin chooses from, depending on the size.
func ubuntuSKUs() []string { return []string{"server", "server-arm64", "server-gen1"} }

// UbuntuImages lists the default images that a region has (two requests for each, in parallel). Images the region does not
// have are left out.
func (s *Service) UbuntuImages(ctx context.Context, region string) ([]Image, error) {
	found := make([]Image, len(ubuntuSKUs()))
	g, gctx := errgroup.WithContext(ctx)
	for n, sku := range ubuntuSKUs() {
		g.Go(func() error {
			img, err := s.marketplace(gctx, region, []string{"Canonical", "ubuntu-24_04-lts", sku, "latest"})
			if errkind.Of(err) == errkind.NotFound {
				return nil
			}
			if err == nil {
				found[n] = Image{"Canonical:ubuntu-24_04-lts:" + sku, img.version, img.arch, img.gen, img.Trusted}
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(i Image) bool { return i.Name == "" })
	if len(found) == 0 {
		return nil, errkind.New(errkind.NotFound, "region %s has none of the images that azlin chooses from", region)
	}
	return found, nil
}

// ImageNames lists one level of the marketplace: the offers of "publisher", the SKUs of "publisher:offer", or the versions
// of "publisher:offer:sku", newest first. The names are complete; those with four parts are valid in Config.Image.
func (s *Service) ImageNames(ctx context.Context, region, under string) ([]string, error) {
	p := strings.Split(under, ":")
	if len(p) > 3 || slices.Contains(p, "") || strings.ContainsAny(under, "/?#% \t\n") {
		return nil, errkind.New(errkind.Invalid, "%q: give publisher, publisher:offer or publisher:offer:sku", under)
	}
	var list []*armcompute.VirtualMachineImageResource
	var err error
	switch c := s.azure.Images(); len(p) {
	case 1:
		var resp armcompute.VirtualMachineImagesClientListOffersResponse
		resp, err = c.ListOffers(ctx, region, p[0], nil)
		list = resp.VirtualMachineImageResourceArray
	case 2:
		var resp armcompute.VirtualMachineImagesClientListSKUsResponse
		resp, err = c.ListSKUs(ctx, region, p[0], p[1], nil)
		list = resp.VirtualMachineImageResourceArray
	default:
		var resp armcompute.VirtualMachineImagesClientListResponse
		resp, err = c.List(ctx, region, p[0], p[1], p[2], &armcompute.VirtualMachineImagesClientListOptions{Orderby: new("name desc")})
		list = resp.VirtualMachineImageResourceArray
	}
	if err != nil {
		return nil, azure.Wrap("list images of", under, err)
	}
	names := make([]string, 0, len(list))
	for _, i := range list {
		if i != nil && azure.Value(i.Name) != "" {
			names = append(names, under+":"+azure.Value(i.Name))
		}
	}
	return names, nil
}
