package gallery

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/geography"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
	"github.com/azlin-dev/azlin/emulator/compute/catalogue"
	"github.com/azlin-dev/azlin/emulator/compute/schema"
)

// Source is the source that an image of a gallery is: a version of it, or its latest one in a region.
func (p *Galleries) Source(id, location string) (catalogue.Source, error) {
	notFound := arm.Refuse(http.StatusNotFound, "GalleryImageNotFound", "The gallery image %s is not available in %s region. Please contact image owner to replicate to this region, or change your requested region.", id, location).At("imageReference")
	version, definition := p.s.FindType(schema.GalleryVersionType, id), p.s.FindType(schema.GalleryImageType, id)
	if definition != nil {
		version = p.latest(definition, location)
	}
	if version == nil || !available(version, location) {
		return catalogue.Source{}, notFound
	}
	definition = p.s.Find(parentOf(version.ID))
	security := feature(definition, "SecurityType")
	s := catalogue.Source{
		Image: catalogue.Image{
			Generation: azjson.Str(definition.Body, "properties", "hyperVGeneration"), Arch: azjson.Str(definition.Body, "properties", "architecture"),
			OSName: "ubuntu", OSVersion: "24.04", Trusted: strings.HasPrefix(security, "TrustedLaunch"),
		},
		Version: version.Name(), Content: resourceid.Key(version.ID), Controllers: []string{"SCSI"},
		TrustedOnly: security == "TrustedLaunch",
		Specialized: azjson.Str(definition.Body, "properties", "osState") == "Specialized",
		Reference:   azjson.Object{"createOption": "FromImage", "galleryImageReference": azjson.Object{"id": version.ID}},
	}
	s.GB, _ = azjson.Int(version.Body, "properties", "storageProfile", "osDiskImage", "sizeInGB")
	if list := feature(definition, "DiskControllerTypes"); list != "" {
		s.Controllers = strings.Split(strings.ReplaceAll(list, " ", ""), ",")
	}
	return s, nil
}

// latest is the highest version that a region has and that is meant to be found so.
func (p *Galleries) latest(definition *arm.Resource, location string) *arm.Resource {
	var found *arm.Resource
	for _, v := range p.s.OfType(schema.GalleryVersionType) {
		if !strings.HasPrefix(resourceid.Key(v.ID), resourceid.Key(definition.ID)+"/") || !available(v, location) || azjson.Bool(v.Body, "properties", "publishingProfile", "excludeFromLatest") {
			continue
		}
		if found == nil || newer(v.Name(), found.Name()) {
			found = v
		}
	}
	return found
}

func available(version *arm.Resource, location string) bool {
	if schema.Provisioning(version) != "Succeeded" && schema.Provisioning(version) != "Updating" {
		return false
	}
	for _, e := range azjson.List(version.Body, "properties", "publishingProfile", "targetRegions") {
		if region, ok := geography.FindRegion(azjson.Str(e, "name")); ok && region.Name == location {
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
