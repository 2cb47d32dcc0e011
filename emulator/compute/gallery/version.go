package gallery

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/geography"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
	"github.com/azlin-dev/azlin/emulator/compute/manageddisk"
	"github.com/azlin-dev/azlin/emulator/compute/schema"
)

// A version is three numbers of 32 bits.
var galleryVersionName = regexp.MustCompile(`^(0|[1-9][0-9]{0,9})\.(0|[1-9][0-9]{0,9})\.(0|[1-9][0-9]{0,9})$`)

func (p *Galleries) putGalleryVersion(c *arm.Call) (*arm.Reply, error) {
	id, had, err := p.intoGallery(c, schema.GalleryVersionType, c.Param("galleryImageVersionName"), galleryVersionName)
	if err != nil {
		return nil, err
	}
	if err := p.judgeRegions(c.Body); err != nil {
		return nil, err
	}
	if had != nil {
		return p.changeGallery(c, had)
	}
	definition := p.s.Find(c.ID("Microsoft.Compute", "galleries", c.Param("galleryName"), "images", c.Param("galleryImageName")))
	source, err := p.versionSource(c.Body, definition)
	if err != nil {
		return nil, err
	}
	props := azjson.Map(c.Body, "properties")
	azjson.Default(props, "ReadWrite", "storageProfile", "osDiskImage", "hostCaching")
	azjson.Default(props, "Standard_LRS", "publishingProfile", "storageAccountType")
	azjson.Default(props, 1, "publishingProfile", "replicaCount")
	azjson.Default(props, false, "publishingProfile", "excludeFromLatest")
	azjson.Put(props, arm.Time(c.Now), "publishingProfile", "publishedDate")
	azjson.Put(props, false, "safetyProfile", "reportedForPolicyViolation")
	azjson.Default(props, false, "safetyProfile", "allowDeletionOfReplicatedLocations")
	return p.newInGallery(c, schema.GalleryVersionType, id, "galleryversion.put", azjson.Object{"disk": azjson.Str(source, "id")})
}

// judgeRegions brings the target regions into Azure's form: without any it is the version's own. That one must be there.
func (p *Galleries) judgeRegions(body azjson.Object) error {
	if azjson.Map(body, "properties") == nil {
		return arm.InvalidParameter("galleryImageVersion.properties", "Required parameter 'galleryImageVersion.properties' is missing (null).")
	}
	home, _ := geography.FindRegion(azjson.Str(body, "location"))
	list := azjson.List(body, "properties", "publishingProfile", "targetRegions")
	if len(list) == 0 {
		list = []any{azjson.Object{"name": home.Name}}
		azjson.Put(body, list, "properties", "publishingProfile", "targetRegions")
	}
	atHome := false
	for _, e := range list {
		o, ok := e.(azjson.Object)
		region, known := geography.FindRegion(azjson.Str(e, "name"))
		if !ok || !known {
			return arm.InvalidParameter("galleryImageVersion.properties.publishingProfile.targetRegions.name", "The location '%s' of the target region is not available.", azjson.Str(e, "name"))
		}
		o["name"] = region.Display
		azjson.Default(o, 1, "regionalReplicaCount")
		azjson.Default(o, "Standard_LRS", "storageAccountType")
		atHome = atHome || region.Name == home.Name
	}
	if !atHome {
		return arm.InvalidParameter("galleryImageVersion.properties.publishingProfile.targetRegions", "The publishing profile of gallery image version '%s' must contain the location '%s' of the image version.", azjson.Str(body, "name"), home.Name)
	}
	return nil
}

// versionSource finds the disk that a version is a copy of: a VM's, or one, or a snapshot, that is named itself.
func (p *Galleries) versionSource(body azjson.Object, definition *arm.Resource) (azjson.Object, error) {
	state := azjson.Str(definition.Body, "properties", "osState")
	profile := azjson.Map(body, "properties", "storageProfile")
	id := azjson.Str(profile, "source", "virtualMachineId")
	if other := azjson.Str(profile, "source", "id"); id == "" && strings.Contains(strings.ToLower(other), "/virtualmachines/") {
		id = other // as clients of older api-versions say it
	}
	if id == "" {
		id = azjson.Str(profile, "osDiskImage", "source", "id")
		if id == "" {
			return nil, arm.InvalidParameter("galleryImageVersion.properties.storageProfile", "Required parameter 'galleryImageVersion.properties.storageProfile.source' is missing (null).")
		}
		d := p.s.Find(id)
		if d == nil || d.Type != schema.DiskType && d.Type != schema.SnapshotType {
			return nil, manageddisk.NotFound(id)
		}
		return d.Body, p.inRegion(d, body)
	}
	vm := p.s.FindType(schema.VMType, id)
	if vm == nil {
		parsed, err := resourceid.Parse(id)
		if err != nil {
			return nil, arm.InvalidParameter("galleryImageVersion.properties.storageProfile.source.virtualMachineId", "The value '%s' of the parameter is invalid.", id)
		}
		return nil, arm.NotFound(parsed)
	}
	have := "Specialized"
	if azjson.Bool(vm.Hidden, "generalized") {
		have = "Generalized"
	}
	if have != state {
		return nil, arm.BadRequest("BadRequest", "The resource with id '%s' has a different OS state ['%s'] than the parent gallery image OS state ['%s'].", vm.ID, have, state)
	}
	wanted := feature(definition, "SecurityType")
	trusted := azjson.Fold(azjson.Str(vm.Body, "properties", "securityProfile", "securityType"), "TrustedLaunch")
	switch {
	case azjson.Fold(wanted, "TrustedLaunchSupported"):
		return nil, arm.InvalidParameter("galleryImageVersion.properties.storageProfile", "The security type '%s' is not supported for the source id '%s'. Currently only Vhd Blob, User Image and Gallery Image Version sources are supported for '%s' images.", wanted, vm.ID, wanted)
	case trusted != azjson.Fold(wanted, "TrustedLaunch"):
		return nil, arm.Conflict("Conflict", "The resource with id '%s' has a different security type than the parent gallery image.", vm.ID)
	}
	if err := p.inRegion(vm, body); err != nil {
		return nil, err
	}
	d := p.s.FindType(schema.DiskType, manageddisk.ID(vm, azjson.Str(vm.Body, "properties", "storageProfile", "osDisk", "name")))
	if d == nil {
		return nil, arm.Conflict("OperationNotAllowed", "The VM '%s' has no managed disk.", vm.Name())
	}
	return d.Body, nil
}

func (p *Galleries) inRegion(source *arm.Resource, body azjson.Object) error {
	if at := azjson.Str(body, "location"); source.Location() != at {
		return arm.InvalidParameter("galleryImageVersion.location", "The source '%s' is in location '%s', not in the location '%s' of the gallery image version.", source.ID, source.Location(), at)
	}
	return nil
}

// feature is the value of one of a definition's features.
func feature(definition *arm.Resource, name string) string {
	for _, e := range azjson.List(definition.Body, "properties", "features") {
		if azjson.Fold(azjson.Str(e, "name"), name) {
			return azjson.Str(e, "value")
		}
	}
	return ""
}

// fillVersion gives a version what is on its source's disk.
func (p *Galleries) fillVersion(ctx context.Context, op arm.Operation) (any, error) {
	return p.disks.Fill(ctx, arm.Operation{Target: op.Target, Args: azjson.Object{"source": azjson.Str(op.Args, "disk")}})
}

func (p *Galleries) finishVersion(op *arm.Operation, err error) (time.Duration, error) {
	r := p.s.Find(op.Target)
	if r == nil {
		return 0, nil
	}
	fail := func(e *arm.Error) (time.Duration, error) {
		schema.SetProvisioning(r, "Failed")
		p.s.Touch(r)
		return 0, e
	}
	if err != nil {
		return fail(arm.Refuse(http.StatusInternalServerError, "InternalOperationError", "The image could not be replicated: %v", err))
	}
	definition, disk := p.s.Find(parentOf(r.ID)), p.s.Find(azjson.Str(op.Args, "disk"))
	if definition == nil || disk == nil {
		return fail(arm.Conflict("Conflict", "The source of the gallery image version '%s' is no longer there.", r.Name()))
	}
	// Azure looks at these only now.
	source := disk.ID
	for _, member := range []string{"virtualMachineId", "id"} {
		if vm := azjson.Str(r.Body, "properties", "storageProfile", "source", member); vm != "" {
			source = vm
		}
	}
	have, want := azjson.Str(disk.Body, "properties", "hyperVGeneration"), azjson.Str(definition.Body, "properties", "hyperVGeneration")
	if have != "" && have != want {
		return fail(arm.Conflict("Conflict", "The resource with id '%s' has a different Hypervisor generation ['%s'] than the parent gallery image Hypervisor generation ['%s'].", source, have, want))
	}
	have, want = azjson.Str(disk.Body, "properties", "supportedCapabilities", "architecture"), azjson.Str(definition.Body, "properties", "architecture")
	if have != "" && have != want {
		return fail(arm.Conflict("Conflict", "The resource with id '%s' has a different architecture ['%s'] than the parent gallery image architecture ['%s'].", source, have, want))
	}
	gb, _ := azjson.Int(disk.Body, "properties", "diskSizeGB")
	azjson.Put(r.Body, gb, "properties", "storageProfile", "osDiskImage", "sizeInGB") // which the first answer did not show
	schema.SetProvisioning(r, "Succeeded")
	p.s.Touch(r)
	return 0, nil
}

// parentOf is the id of what a child is in.
func parentOf(id string) string {
	id = id[:strings.LastIndexByte(id, '/')]
	return id[:strings.LastIndexByte(id, '/')]
}

// replicated adds how far the copies in all regions are.
func replicated(o azjson.Object) {
	state, progress := "InProgress", 0
	if azjson.Str(o, "properties", "provisioningState") == "Succeeded" {
		state, progress = "Completed", 100
	}
	summary := []any{}
	for _, e := range azjson.List(o, "properties", "publishingProfile", "targetRegions") {
		summary = append(summary, azjson.Object{"region": azjson.Str(e, "name"), "state": state, "details": "", "progress": progress})
	}
	azjson.Put(o, azjson.Object{"aggregatedState": state, "summary": summary}, "properties", "replicationStatus")
}
