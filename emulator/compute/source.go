package compute

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm"
)

// source is what the disk of a new VM's system is made from.
type source struct {
	Image

	version     string     // exact version of the image; "" for an attached disk
	reference   arm.Object // what the disk says that it was made from
	gb          int        // the least that the disk may have
	controllers []string   // disk controllers that it can boot from; nil: nothing is known
	content     string     // the key of what is on it; empty: what the hosts make by themselves
	trustedOnly bool       // VMs of another security type are refused
	specialized bool       // it is set up already
}

// marketplace is the source that an image of the marketplace is.
func (p *Provider) marketplace(i Image, version, location string) source {
	id := "/Subscriptions/" + p.s.Options().SubscriptionID + "/Providers/Microsoft.Compute/Locations/" + location + "/Publishers/" + strings.ToLower(i.Publisher) +
		"/ArtifactTypes/VMImage/Offers/" + i.Offer + "/Skus/" + i.SKU + "/Versions/" + version
	return source{
		Image: i, version: version, gb: diskGB, controllers: i.Controllers(),
		reference: arm.Object{"createOption": "FromImage", "imageReference": arm.Object{"id": id}},
	}
}

// galleryImage is the source that an image of a gallery is: a version of it, or its latest one in a region.
func (p *Provider) galleryImage(id, location string) (source, error) {
	notFound := arm.Refuse(http.StatusNotFound, "GalleryImageNotFound", "The gallery image %s is not available in %s region. Please contact image owner to replicate to this region, or change your requested region.", id, location).At("imageReference")
	version, definition := p.s.FindType(GalleryVersionType, id), p.s.FindType(GalleryImageType, id)
	if definition != nil {
		version = p.latest(definition, location)
	}
	if version == nil || !available(version, location) {
		return source{}, notFound
	}
	definition = p.s.Find(parentOf(version.ID))
	security := feature(definition, "SecurityType")
	s := source{
		Image: Image{
			Generation: arm.Str(definition.Body, "properties", "hyperVGeneration"), Arch: arm.Str(definition.Body, "properties", "architecture"),
			OSName: "ubuntu", OSVersion: "24.04", Trusted: strings.HasPrefix(security, "TrustedLaunch"),
		},
		version: version.Name(), content: arm.Key(version.ID), controllers: []string{"SCSI"},
		trustedOnly: security == "TrustedLaunch",
		specialized: arm.Str(definition.Body, "properties", "osState") == "Specialized",
		reference:   arm.Object{"createOption": "FromImage", "galleryImageReference": arm.Object{"id": version.ID}},
	}
	s.gb, _ = arm.Int(version.Body, "properties", "storageProfile", "osDiskImage", "sizeInGB")
	if list := feature(definition, "DiskControllerTypes"); list != "" {
		s.controllers = strings.Split(strings.ReplaceAll(list, " ", ""), ",")
	}
	return s, nil
}

// latest is the highest version that a region has and that is meant to be found so.
func (p *Provider) latest(definition *arm.Resource, location string) *arm.Resource {
	var found *arm.Resource
	for _, v := range p.s.OfType(GalleryVersionType) {
		if !strings.HasPrefix(arm.Key(v.ID), arm.Key(definition.ID)+"/") || !available(v, location) || arm.Bool(v.Body, "properties", "publishingProfile", "excludeFromLatest") {
			continue
		}
		if found == nil || newer(v.Name(), found.Name()) {
			found = v
		}
	}
	return found
}

func available(version *arm.Resource, location string) bool {
	if provisioning(version) != "Succeeded" && provisioning(version) != "Updating" {
		return false
	}
	for _, e := range arm.List(version.Body, "properties", "publishingProfile", "targetRegions") {
		if region, ok := arm.FindRegion(arm.Str(e, "name")); ok && region.Name == location {
			return true
		}
	}
	return false
}

// newer compares versions number by number.
func newer(a, b string) bool {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(as), len(bs)) {
		x, _ := strconv.Atoi(as[i]) // judged when it came
		y, _ := strconv.Atoi(bs[i]) // as above
		if x != y {
			return x > y
		}
	}
	return false
}
