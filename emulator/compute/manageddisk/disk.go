package manageddisk

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/polling"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
	"github.com/azlin-dev/azlin/emulator/compute/catalogue"
	"github.com/azlin-dev/azlin/emulator/compute/schema"
)

const oneDisk = schema.InGroup + "/disks/{diskName}"

// ID is the id of a disk by its name, in the group of its VM.
func ID(vm *arm.Resource, name string) string {
	return strings.TrimSuffix(vm.ID, "virtualMachines/"+vm.Name()) + "disks/" + name
}

// New is a disk with all that Azure adds.
func (p *Disks) New(id, location, sku string, gb int, tags azjson.Object, creation azjson.Object) *arm.Resource {
	d := &arm.Resource{ID: id, Type: schema.DiskType}
	d.Body = azjson.Object{
		"id": id, "name": d.Name(), "type": schema.DiskType, "location": location, "sku": azjson.Object{"name": sku},
		"properties": azjson.Object{"creationData": creation, "diskSizeGB": gb},
	}
	if len(tags) > 0 {
		d.Body["tags"] = azjson.Clone(tags)
	}
	p.completeDisk(d)
	return d
}

// completeDisk fills in what Azure adds to a disk or snapshot.
func (p *Disks) completeDisk(d *arm.Resource) {
	azjson.Default(d.Body, "Standard_LRS", "sku", "name")
	name := azjson.Str(d.Body, "sku", "name")
	tier, _, _ := strings.Cut(name, "_")
	if strings.HasPrefix(name, "StandardSSD") || d.Type == schema.SnapshotType {
		tier = "Standard"
	}
	azjson.Put(d.Body, tier, "sku", "tier")
	props := d.Props()
	gb, _ := azjson.Int(props, "diskSizeGB")
	azjson.Default(props, "EncryptionAtRestWithPlatformKey", "encryption", "type")
	azjson.Default(props, "AllowAll", "networkAccessPolicy")
	azjson.Default(props, "Enabled", "publicNetworkAccess")
	props["diskSizeBytes"] = bytesOf(gb)
	azjson.Default(props, "Unattached", "diskState")
	azjson.Default(props, uuid.NewString(), "uniqueId")
	azjson.Default(props, arm.Time(p.s.Now()), "timeCreated")
	if azjson.Bool(props, "incremental") { // all of one disk are a family
		from := azjson.Str(props, "creationData", "sourceUniqueId")
		if from == "" {
			from = strings.ToLower(azjson.Str(props, "creationData", "sourceResourceId"))
		}
		azjson.Default(props, uuid.NewSHA1(uuid.NameSpaceURL, []byte(from)).String(), "incrementalSnapshotFamilyId")
	}
	if d.Type == schema.DiskType {
		iops, mbps, t := performance(name, gb)
		azjson.Default(props, iops, "diskIOPSReadWrite")
		azjson.Default(props, mbps, "diskMBpsReadWrite")
		if t[0] == 'P' { // only these have one that shows
			azjson.Default(props, t, "tier")
		}
	}
	azjson.Default(props, "Succeeded", "provisioningState")
}

// bytesOf is a disk's size in bytes, as Azure counts the 30 GB of its images.
func bytesOf(gb int) int64 {
	if gb == catalogue.ImageGB {
		return 32213303296
	}
	return int64(gb) << 30
}

// performance is the first tier of a disk type that holds so much.
func performance(sku string, gb int) (iops, mbps int, tier string) {
	letter := "S"
	switch {
	case strings.HasPrefix(sku, "Premium"):
		letter = "P"
	case strings.HasPrefix(sku, "StandardSSD"):
		letter = "E"
	}
	for _, t := range []struct{ gb, n, iops, mbps int }{
		{4, 1, 120, 25},
		{8, 2, 120, 25},
		{16, 3, 120, 25},
		{32, 4, 120, 25},
		{64, 6, 240, 50},
		{128, 10, 500, 100},
		{256, 15, 1100, 125},
		{512, 20, 2300, 150},
		{1024, 30, 5000, 200},
		{2048, 40, 7500, 250},
		{4096, 50, 7500, 250},
		{8192, 60, 16000, 500},
		{16384, 70, 18000, 750},
		{32767, 80, 20000, 900},
	} {
		if gb > t.gb {
			continue
		}
		if letter != "P" {
			t.iops, t.mbps = 500, 60
			t.n = max(t.n, 4)
		}
		return t.iops, t.mbps, letter + strconv.Itoa(t.n)
	}
	return 20000, 900, letter + "80"
}

// Hold attaches a disk to a VM.
func (p *Disks) Hold(d, vm *arm.Resource) {
	d.Body["managedBy"] = vm.ID
	d.Props()["diskState"] = "Attached"
	d.Props()["LastOwnershipUpdateTime"] = arm.Time(p.s.Now())
	p.s.Touch(d)
}

// Release takes a disk from its VM.
func (p *Disks) Release(d *arm.Resource) {
	delete(d.Body, "managedBy")
	d.Props()["diskState"] = "Unattached"
	d.Props()["LastOwnershipUpdateTime"] = arm.Time(p.s.Now())
	p.s.Touch(d)
}

func (p *Disks) disks() {
	s := p.s
	s.Register(&arm.Type{Name: schema.DiskType, Versions: schema.DiskVersions(), Rank: 15, InUse: diskInUse, Removed: p.Forget, Referrers: func(r *arm.Resource) []string {
		if by := azjson.Str(r.Body, "managedBy"); by != "" {
			return []string{by}
		}
		return nil
	}})
	s.RegisterKind("disk.put", arm.Kind{Run: p.Hosted(p.Fill), Finish: func(op *arm.Operation, err error) (time.Duration, error) {
		if err != nil {
			return 0, arm.Refuse(http.StatusInternalServerError, "InternalOperationError", "The content of '%s' could not be copied: %v", op.Target, err)
		}
		if d := s.Find(op.Target); d != nil {
			d.Props()["provisioningState"] = "Succeeded"
			s.Touch(d)
			op.Output = s.View(d)
		}
		return 0, nil
	}})
	s.RegisterKind("disk.delete", arm.Kind{Finish: func(op *arm.Operation, _ error) (time.Duration, error) {
		if d := s.Find(op.Target); d != nil {
			if e := s.Refused(d); e != nil {
				return 0, e
			}
			s.Remove(d)
		}
		return 0, nil
	}})
	s.RegisterKind("disk.access", p.accessKind())
	p.serveDisks(schema.DiskType, oneDisk, "diskName")
}

func diskInUse(d *arm.Resource) *arm.Error {
	if by := azjson.Str(d.Body, "managedBy"); by != "" {
		return arm.Conflict("OperationNotAllowed", "Disk %s is attached to VM %s.", d.Name(), by)
	}
	return outstanding(d)
}

// serveDisks adds the routes that disks and snapshots share.
func (p *Disks) serveDisks(typ, one, param string) {
	s, v := p.s, schema.DiskVersions()
	in := one[:strings.LastIndexByte(one, '/')]
	list := func(c *arm.Call) (*arm.Reply, error) {
		var l []*arm.Resource
		for _, d := range s.OfType(typ) {
			if g := c.Group(); g == "" || azjson.Fold(g, d.Group()) {
				l = append(l, d)
			}
		}
		views := s.Views(l)
		for i, o := range views {
			if c.Group() == "" {
				o.(azjson.Object)["id"] = schema.Shouted(l[i])
			}
		}
		return c.Page(views), nil
	}
	s.Handle(http.MethodGet, strings.Replace(in, schema.InGroup, schema.InSub, 1), v, list)
	s.Handle(http.MethodGet, in, v, list)
	s.Handle(http.MethodGet, one, v, func(c *arm.Call) (*arm.Reply, error) {
		d := s.Find(c.Path)
		if d == nil {
			return nil, c.NotFound()
		}
		return arm.OK(s.View(d)), nil
	})
	s.Handle(http.MethodPut, one, v, func(c *arm.Call) (*arm.Reply, error) { return p.putDisk(c, typ, c.Param(param)) })
	p.serveAccess(one, in[strings.LastIndexByte(in, '/')+1:], param)
	s.Handle(http.MethodPatch, one, v, p.patchDisk)
	s.Handle(http.MethodDelete, one, v, func(c *arm.Call) (*arm.Reply, error) {
		d := s.Find(c.Path)
		if d == nil {
			return arm.Status(http.StatusNoContent), nil
		}
		if e := s.Refused(d); e != nil {
			return nil, e
		}
		return c.Async(arm.Status(http.StatusAccepted), s.Begin("disk.delete", d.ID, d.Location(), nil), polling.Disks().Silent()), nil
	})
}

// NotFound is the refusal of a disk that is not there.
func NotFound(id string) *arm.Error {
	e := arm.Refuse(404, "NotFound", "Disk %s is not found.", resourceid.NameOf(id))
	if parsed, err := resourceid.Parse(id); err == nil {
		e.Message = arm.NotFound(parsed).Message
		e.Code = "ResourceNotFound"
	}
	return e
}
