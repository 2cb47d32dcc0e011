package image

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/teardown"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm/catalog"
)

// List returns the images that azlin baked in a resource group; empty: in the subscription. They are sorted by name, newest
// version first (resources/list, one request plus one per further page).
func (b *Baker) List(ctx context.Context, group string) ([]Image, error) {
	filter, expand := "resourceType eq 'Microsoft.Compute/galleries/images/versions'", "createdTime,provisioningState"
	var found []*armresources.GenericResourceExpanded
	var err error
	if group == "" {
		found, err = azure.Pages(ctx, "list images", b.Azure.Resources().NewListPager(&armresources.ClientListOptions{Filter: &filter, Expand: &expand}),
			func(p armresources.ClientListResponse) []*armresources.GenericResourceExpanded { return p.Value })
	} else {
		found, err = azure.Pages(ctx, "list images of "+group, b.Azure.Resources().NewListByResourceGroupPager(group, &armresources.ClientListByResourceGroupOptions{Filter: &filter, Expand: &expand}),
			func(p armresources.ClientListByResourceGroupResponse) []*armresources.GenericResourceExpanded {
				return p.Value
			})
	}
	if err != nil {
		return nil, err
	}
	images := []Image{}
	for _, r := range found {
		tags := azure.Tags(r.Tags)
		id, err := azure.ParseID(value(r.ID))
		if err != nil || !azure.Managed(tags) || len(id.Names) != 3 || !strings.EqualFold(id.Names[0], catalog.GalleryName) {
			continue
		}
		source, _ := azure.Tag(tags, azure.TagSource)
		images = append(images, Image{
			Name: id.Names[1], Version: id.Names[2], ResourceGroup: id.ResourceGroup, Region: value(r.Location), Source: source,
			Created: created(tags), State: value(r.ProvisioningState), ID: value(r.ID),
		})
	}
	slices.SortFunc(images, func(a, b Image) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(strings.ToLower(a.ResourceGroup), strings.ToLower(b.ResourceGroup)), catalog.CompareVersions(b.Version, a.Version))
	})
	return images, nil
}

// Called reports whether NAME or NAME:VERSION refers to the image.
func (i Image) Called(name string) bool {
	name, version, one := strings.Cut(name, ":")
	return strings.EqualFold(i.Name, name) && (!one || i.Version == version)
}

// created is the creation time in azlin's tag; zero: unknown.
func created(tags map[string]string) time.Time {
	text, _ := azure.Tag(tags, azure.TagCreated)
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// Deletion is a plan to delete image versions, the image names left without versions, and the gallery if it is then empty.
type Deletion struct {
	ResourceGroup string
	Images        []Image // the versions
	Names         []string
	Gallery       bool
}

// PlanDeletion finds the image NAME or NAME:VERSION in a resource group; empty: in the only group that has it. An absent
// image is NotFound; one in several groups is a Conflict. VMs created from it do not need it.
func (b *Baker) PlanDeletion(ctx context.Context, group, image string) (Deletion, error) {
	d := Deletion{ResourceGroup: group}
	fail := func(kind errkind.Kind, next errkind.Step, format string, args ...any) (Deletion, error) {
		return d, &errkind.Error{Kind: kind, Op: "delete image", Resource: image, Err: fmt.Errorf(format, args...), Next: next}
	}
	name, version, one := strings.Cut(image, ":")
	if err := catalog.ValidateImage(image); err != nil || image == "" || strings.Contains(version, ":") || strings.HasPrefix(image, "/") {
		return d, errkind.New(errkind.Invalid, "image %q: give the name of an image that was baked, or NAME:VERSION", image)
	}
	all, err := b.List(ctx, group)
	if err != nil {
		return d, err
	}
	for _, i := range all {
		if !i.Called(image) {
			continue
		}
		if d.ResourceGroup != "" && !strings.EqualFold(d.ResourceGroup, i.ResourceGroup) {
			return fail(errkind.Conflict, errkind.Step{Action: errkind.DeleteImage, Name: image, Group: i.ResourceGroup}, "resource groups %s and %s have one", d.ResourceGroup, i.ResourceGroup)
		}
		d.ResourceGroup = i.ResourceGroup
		d.Images = append(d.Images, i)
	}
	rest := func(of func(Image) bool) bool { // whether anything else stays in the gallery
		return slices.ContainsFunc(all, func(i Image) bool {
			return strings.EqualFold(i.ResourceGroup, d.ResourceGroup) && of(i)
		})
	}
	switch {
	case len(d.Images) > 0 && one && rest(func(i Image) bool { return i.Called(name) && !i.Called(image) }):
		return d, nil
	case len(d.Images) > 0:
		d.Names = []string{d.Images[0].Name}
	case d.ResourceGroup == "":
		return fail(errkind.NotFound, errkind.Step{Action: errkind.ListImages}, "no such image was baked")
	default: // possibly a name without versions, left by an interrupted request
		have, err := b.Azure.GalleryImages().Get(ctx, d.ResourceGroup, catalog.GalleryName, name, nil)
		if err := azure.Wrap("get image", name, err); err != nil && !azure.IsNotFound(err) {
			return d, err
		}
		if err != nil || one || !azure.Managed(azure.Tags(have.Tags)) {
			return fail(errkind.NotFound, errkind.Step{Action: errkind.ListImages}, "resource group %s has no such image", d.ResourceGroup)
		}
		d.Names = []string{value(have.Name)}
	}
	d.Gallery = !rest(func(i Image) bool { return !i.Called(name) })
	return d, nil
}

// Delete carries out a deletion (galleryImageVersions/delete, galleryImages/delete, galleries/delete), and verifies it. What
// is already gone is not an error. A name or gallery that somebody else uses is kept. The error names what is left.
func (b *Baker) Delete(ctx context.Context, d Deletion, report func(step string)) error {
	var items []teardown.Item
	add := func(typeAndNames ...string) {
		id := azure.NewID(b.Azure.SubscriptionID(), d.ResourceGroup, "Microsoft.Compute", append([]string{"galleries", catalog.GalleryName}, typeAndNames...)...)
		item, ok := teardown.Of(b.Azure, id)
		if !ok {
			return // the id has one of these types
		}
		remove := item.Delete
		item.Delete = func(ctx context.Context) error {
			err := remove(ctx)
			if strings.EqualFold(azure.Code(err), "CannotDeleteResource") {
				return &errkind.Error{Class: teardown.ErrNeeded, Err: err}
			}
			return err
		}
		items = append(items, item)
	}
	for _, i := range d.Images {
		add("images", i.Name, "versions", i.Version)
	}
	for _, name := range d.Names {
		add("images", name)
	}
	if d.Gallery {
		add()
		items[len(items)-1].Needed = b.galleryNeeded(d.ResourceGroup)
	}
	var errs []error
	var left []string
	for _, r := range teardown.Run(ctx, b.Azure, items, report) {
		if r.Err != nil && !errors.Is(r.Err, teardown.ErrNeeded) {
			errs, left = append(errs, r.Err), append(left, r.ID)
		}
	}
	if errs == nil {
		return nil
	}
	return &errkind.Error{Kind: errkind.Of(errs[0]), Err: errs[0], LeftOver: left}
}

// galleryNeeded returns the reason to keep the gallery: azlin did not create it.
func (b *Baker) galleryNeeded(group string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		have, err := b.Azure.Galleries().Get(ctx, group, catalog.GalleryName, nil)
		if err := azure.Wrap("get gallery", catalog.GalleryName, err); err != nil || azure.Managed(azure.Tags(have.Tags)) {
			return "", err
		}
		return "azlin did not make it", nil
	}
}

func (b *Baker) deleteVersion(ctx context.Context, group, name, version string) error {
	_, err := azure.Run(ctx, b.Azure, "delete image", name+":"+version, func(ctx context.Context) (*runtime.Poller[armcompute.GalleryImageVersionsClientDeleteResponse], error) {
		return b.Azure.GalleryVersions().BeginDelete(ctx, group, catalog.GalleryName, name, version, nil)
	})
	if azure.IsNotFound(err) {
		return nil
	}
	return err
}
