package manageddisk

import (
	"net/http"
	"regexp"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/polling"
	"github.com/azlin-dev/azlin/emulator/compute/catalogue"
	"github.com/azlin-dev/azlin/emulator/compute/schema"
)

var diskName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}$`)

func (p *Disks) putDisk(c *arm.Call, typ, name string) (*arm.Reply, error) {
	if err := c.NeedBody(); err != nil {
		return nil, err
	}
	azjson.WithoutNulls(c.Body)
	if !diskName.MatchString(name) {
		return nil, arm.InvalidParameter("name", `The entity name 'name' is invalid according to its validation rule: ^[^_\W][\w-._]{0,79}(?<![-.])$.`)
	}
	if err := c.NeedLocation(typ); err != nil {
		return nil, err
	}
	if err := arm.CheckTags(c.Body["tags"]); err != nil {
		return nil, err
	}
	short := "disks"
	if typ == schema.SnapshotType {
		short = "snapshots"
	}
	id := c.ID("Microsoft.Compute", short, name)
	if d := p.s.Find(id); d != nil {
		return p.changeDisk(c, d)
	}
	d := &arm.Resource{ID: id, Type: typ, Body: c.Body}
	// The first answer shows what was asked for and no more.
	first := azjson.Clone(d.Body)
	if err := p.judgeDisk(d); err != nil {
		return nil, err
	}
	first["id"], first["name"], first["type"] = id, name, typ
	azjson.Put(first, "Updating", "properties", "provisioningState")
	if typ == schema.SnapshotType {
		delete(first, "id")
		delete(first, "name")
		delete(first, "type")
		azjson.Put(first, true, "properties", "isArmResource")
	}
	d.Body["id"], d.Body["name"], d.Body["type"] = id, name, typ
	d.Props()["provisioningState"] = "Updating"
	p.completeDisk(d)
	p.s.Add(d)
	return c.Async(&arm.Reply{Status: http.StatusAccepted, Body: first}, p.s.Begin("disk.put", id, d.Location(), azjson.Object{"source": azjson.Str(d.Props(), "creationData", "sourceResourceId")}), polling.Disks()), nil
}

// judgeDisk refuses an impossible disk or snapshot, and takes over what comes with its source.
func (p *Disks) judgeDisk(d *arm.Resource) error {
	props := d.Props()
	creation := azjson.Map(props, "creationData")
	if creation == nil {
		return arm.InvalidParameter("disk.creationData", "Required parameter 'disk.creationData' is missing (null).")
	}
	gb, sized := azjson.Int(props, "diskSizeGB")
	switch opt := azjson.Str(creation, "createOption"); {
	case azjson.Fold(opt, "Empty"):
		if !sized || gb < 1 || gb > 65536 {
			return arm.InvalidParameter("disk.diskSizeGB", "Value '%v' of parameter 'disk.diskSizeGB' is out of range. The value must be between '1' and '65536', inclusive.", props["diskSizeGB"])
		}
	case azjson.Fold(opt, "Copy") || azjson.Fold(opt, "CopyStart"):
		id := azjson.Str(creation, "sourceResourceId")
		if id == "" {
			return arm.InvalidParameter("creationData.sourceResourceId", "Required parameter 'creationData.sourceResourceId' is missing (null).")
		}
		src := p.s.Find(id)
		if src == nil || src.Type != schema.DiskType && src.Type != schema.SnapshotType {
			return NotFound(id)
		}
		if src.Location() != d.Location() && azjson.Fold(opt, "Copy") {
			return arm.BadRequest("InvalidParameter", "Source resource '%s' is in location '%s', not in location '%s'.", id, src.Location(), d.Location()).At("creationData.sourceResourceId")
		}
		have, _ := azjson.Int(src.Body, "properties", "diskSizeGB")
		if sized && gb < have {
			return arm.BadRequest("ResizeDiskError", "Disk size %d GB is smaller than the size of its source: %d GB.", gb, have)
		}
		azjson.Default(props, have, "diskSizeGB")
		creation["sourceResourceId"] = src.ID
		creation["sourceUniqueId"] = azjson.Str(src.Body, "properties", "uniqueId")
		for _, k := range []string{"osType", "hyperVGeneration", "supportedCapabilities", "securityProfile"} {
			if v := azjson.Get(src.Body, "properties", k); v != nil {
				azjson.Default(props, azjson.Clone(v), k)
			}
		}
	case azjson.Fold(opt, "FromImage"):
		azjson.Default(props, catalogue.ImageGB, "diskSizeGB")
		azjson.Default(props, "Linux", "osType")
		azjson.Default(props, "V2", "hyperVGeneration")
	default:
		return arm.InvalidParameter("creationData.createOption", "The value '%s' of parameter 'creationData.createOption' is invalid.", opt)
	}
	if d.Type == schema.SnapshotType {
		azjson.Default(props, false, "incremental")
	}
	return nil
}

// changeDisk is a PUT on what is there already.
func (p *Disks) changeDisk(c *arm.Call, d *arm.Resource) (*arm.Reply, error) {
	for _, k := range []string{"createOption", "sourceResourceId"} {
		given, have := azjson.Str(c.Body, "properties", "creationData", k), azjson.Str(d.Body, "properties", "creationData", k)
		if given != "" && !azjson.Fold(given, have) {
			return nil, arm.Conflict("PropertyChangeNotAllowed", "Changing property 'creationData.%s' is not allowed for existing disk '%s'.", k, d.Name()).At("creationData." + k)
		}
	}
	if d.Location() != azjson.Str(c.Body, "location") {
		return nil, arm.Conflict("InvalidResourceLocation", "The resource '%s' already exists in location '%s' in resource group '%s'. A resource with the same name cannot be created in location '%s'. Please select a new resource name.", d.Name(), d.Location(), d.Group(), azjson.Str(c.Body, "location"))
	}
	delete(d.Body, "tags")
	return p.applyDisk(c, d)
}

func (p *Disks) patchDisk(c *arm.Call) (*arm.Reply, error) {
	d := p.s.Find(c.Path)
	if d == nil {
		return nil, c.NotFound()
	}
	if err := c.NeedBody(); err != nil {
		return nil, err
	}
	if err := arm.CheckTags(c.Body["tags"]); err != nil {
		return nil, err
	}
	return p.applyDisk(c, d)
}

func (p *Disks) applyDisk(c *arm.Call, d *arm.Resource) (*arm.Reply, error) {
	if gb, ok := azjson.Int(c.Body, "properties", "diskSizeGB"); ok {
		have, _ := azjson.Int(d.Body, "properties", "diskSizeGB")
		if gb < have {
			return nil, arm.Conflict("OperationNotAllowed", "The disk size can't be reduced from %d GB to %d GB.", have, gb)
		}
		if gb != have {
			for _, k := range []string{"diskIOPSReadWrite", "diskMBpsReadWrite", "tier"} {
				azjson.Drop(d.Body, "properties", k)
			}
		}
	}
	for _, k := range []string{"tags", "sku", "properties"} {
		if v := c.Body[k]; v != nil {
			azjson.Merge(d.Body, azjson.Object{k: v}, "tags")
		}
	}
	p.completeDisk(d)
	d.Props()["provisioningState"] = "Updating"
	p.s.Touch(d)
	op := p.s.Begin("disk.put", d.ID, d.Location(), nil)
	shown := p.s.View(d)
	if c.Method == http.MethodPatch {
		shown["properties"] = changed(shown)
	}
	return c.Async(&arm.Reply{Status: http.StatusAccepted, Body: shown}, op, polling.Disks()), nil
}

// changed are the properties that the first answer to a change shows: what the disk was made of, its size and
// its state.
func changed(disk azjson.Object) azjson.Object {
	o := azjson.Object{}
	for _, k := range []string{"osType", "creationData", "diskSizeGB", "provisioningState"} {
		if v := azjson.Get(disk, "properties", k); v != nil {
			o[k] = v
		}
	}
	return o
}

func (p *Disks) snapshots() {
	p.s.Register(&arm.Type{Name: schema.SnapshotType, Versions: schema.DiskVersions(), Rank: 16, InUse: outstanding, Removed: p.Forget})
	p.serveDisks(schema.SnapshotType, schema.InGroup+"/snapshots/{snapshotName}", "snapshotName")
}
