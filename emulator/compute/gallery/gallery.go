package gallery

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/polling"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
	"github.com/azlin-dev/azlin/emulator/compute/schema"
)

const (
	oneGallery        = schema.InGroup + "/galleries/{galleryName}"
	oneGalleryImage   = oneGallery + "/images/{galleryImageName}"
	oneGalleryVersion = oneGalleryImage + "/versions/{galleryImageVersionName}"
)

var (
	galleryName      = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.]{0,78}[A-Za-z0-9])?$`)
	galleryImageName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9])?$`)
)

func (p *Galleries) galleries() {
	s := p.s
	s.RegisterKind("gallery.put", arm.Kind{Finish: p.finishGallery})
	s.RegisterKind("gallery.delete", arm.Kind{Finish: func(op *arm.Operation, _ error) (time.Duration, error) {
		if r := s.Find(op.Target); r != nil {
			if e := s.Refused(r); e != nil {
				return 0, e
			}
			s.Remove(r)
		}
		return 0, nil
	}})
	p.serveGallery(schema.GalleryType, oneGallery, 27, p.putGallery)
	p.serveGallery(schema.GalleryImageType, oneGalleryImage, 26, p.putGalleryImage)
	p.serveGallery(schema.GalleryVersionType, oneGalleryVersion, 25, p.putGalleryVersion)
	s.RegisterKind("galleryversion.put", arm.Kind{Run: p.disks.Hosted(p.fillVersion), Finish: p.finishVersion})
	s.Handle(http.MethodGet, schema.InSub+"/galleries", schema.GalleryVersions(), p.listGallery(schema.GalleryType))
}

// serveGallery adds what galleries, the images in them and their versions have in common.
func (p *Galleries) serveGallery(typ, one string, rank int, put arm.Handler) {
	s, v := p.s, schema.GalleryVersions()
	t := &arm.Type{Name: typ, Versions: v, Rank: rank, InUse: p.nested}
	if typ == schema.GalleryVersionType {
		t.Removed = p.disks.Forget
	}
	s.Register(t)
	s.Handle(http.MethodGet, one[:strings.LastIndexByte(one, '/')], v, p.listGallery(typ))
	s.Handle(http.MethodPut, one, v, put)
	s.Handle(http.MethodGet, one, v, func(c *arm.Call) (*arm.Reply, error) {
		r := s.FindType(typ, c.Path)
		if r == nil {
			return nil, c.NotFound()
		}
		o := s.View(r)
		if strings.EqualFold(c.Arg("$expand"), "ReplicationStatus") {
			replicated(o)
		}
		return arm.OK(o), nil
	})
	s.Handle(http.MethodPatch, one, v, func(c *arm.Call) (*arm.Reply, error) {
		r := s.FindType(typ, c.Path)
		if r == nil {
			return nil, c.NotFound()
		}
		if err := c.NeedBody(); err != nil {
			return nil, err
		}
		if len(azjson.List(c.Body, "properties", "publishingProfile", "targetRegions")) > 0 {
			if err := p.judgeRegions(azjson.Object{"location": r.Location(), "name": r.Name(), "properties": c.Body["properties"]}); err != nil {
				return nil, err
			}
		}
		return p.changeGallery(c, r)
	})
	s.Handle(http.MethodDelete, one, v, func(c *arm.Call) (*arm.Reply, error) {
		r := s.FindType(typ, c.Path)
		if r == nil {
			return arm.Status(http.StatusNoContent), nil
		}
		if e := s.Refused(r); e != nil {
			return nil, e
		}
		if schema.Provisioning(r) != "Deleting" {
			schema.SetProvisioning(r, "Deleting")
			s.Touch(r)
		}
		return c.Async(arm.Status(http.StatusAccepted), s.Begin("gallery.delete", r.ID, r.Location(), nil), galleryStyle(r, polling.GalleriesDelete())), nil
	})
}

// listGallery lists what is below the path of a call, but not what is below that.
func (p *Galleries) listGallery(typ string) arm.Handler {
	return func(c *arm.Call) (*arm.Reply, error) {
		var l []*arm.Resource
		parent := resourceid.Key(c.Path[:strings.LastIndexByte(c.Path, '/')])
		if c.Group() == "" {
			parent = ""
		} else if typ == schema.GalleryType {
			parent = resourceid.Key("/subscriptions/" + c.Sub() + "/resourceGroups/" + c.Group())
		} else if p.s.Find(parent) == nil {
			return nil, parentNotFound(typ, parent)
		}
		for _, r := range p.s.OfType(typ) {
			if strings.HasPrefix(resourceid.Key(r.ID), parent+"/") || parent == "" {
				l = append(l, r)
			}
		}
		views := p.s.Views(l)
		if typ == schema.GalleryType {
			for i, o := range views {
				o.(azjson.Object)["id"] = schema.Shouted(l[i])
			}
		}
		return c.Page(views), nil
	}
}

func parentNotFound(typ, parent string) *arm.Error {
	return arm.Refuse(http.StatusNotFound, "ParentResourceNotFound", "Failed to perform 'read' on resource(s) of type '%s', because the parent resource '%s' could not be found.",
		strings.TrimPrefix(typ, "Microsoft.Compute/"), parent)
}

// nested says that something is left in what is to be deleted.
func (p *Galleries) nested(r *arm.Resource) *arm.Error {
	for _, typ := range []string{schema.GalleryImageType, schema.GalleryVersionType} {
		for _, child := range p.s.OfType(typ) {
			if strings.HasPrefix(resourceid.Key(child.ID), resourceid.Key(r.ID)+"/") {
				return arm.Conflict("CannotDeleteResource", "Can not delete resource before nested resources are deleted.")
			}
		}
	}
	return nil
}

// intoGallery judges what all three have in common, and finds what is put into what. had is what is there already.
func (p *Galleries) intoGallery(c *arm.Call, typ, name string, rule *regexp.Regexp) (id string, had *arm.Resource, err error) {
	if err := c.NeedBody(); err != nil {
		return "", nil, err
	}
	azjson.WithoutNulls(c.Body)
	if !rule.MatchString(name) {
		return "", nil, arm.InvalidParameter("name", "The entity name '%s' is invalid according to its validation rule: %s.", name, rule)
	}
	if err := c.NeedLocation(typ); err != nil {
		return "", nil, err
	}
	if err := arm.CheckTags(c.Body["tags"]); err != nil {
		return "", nil, err
	}
	pairs := []string{"galleries", c.Param("galleryName")}
	if typ != schema.GalleryType {
		pairs = append(pairs, "images", c.Param("galleryImageName"))
	}
	if typ == schema.GalleryVersionType {
		pairs = append(pairs, "versions", name)
	}
	id = c.ID("Microsoft.Compute", pairs...)
	if typ != schema.GalleryType {
		if parent := c.ID("Microsoft.Compute", pairs[:len(pairs)-2]...); p.s.Find(parent) == nil {
			e := parentNotFound(typ, parent)
			e.Message = strings.Replace(e.Message, "'read'", "'write'", 1)
			return "", nil, e
		}
	}
	had = p.s.Find(id)
	if had != nil && had.Location() != azjson.Str(c.Body, "location") {
		return "", nil, arm.Conflict("InvalidResourceLocation", "The resource '%s' already exists in location '%s' in resource group '%s'. A resource with the same name cannot be created in location '%s'. Please select a new resource name.", name, had.Location(), had.Group(), azjson.Str(c.Body, "location"))
	}
	return id, had, nil
}

// galleryStyle is how Azure talks about an operation: those of versions take long.
func galleryStyle(r *arm.Resource, st polling.Style) polling.Style {
	if r.Type == schema.GalleryVersionType {
		return st.Slow()
	}
	return st
}

// newInGallery stores what was judged, and begins the operation that makes it.
func (p *Galleries) newInGallery(c *arm.Call, typ, id, kind string, args azjson.Object) (*arm.Reply, error) {
	r := &arm.Resource{ID: id, Type: typ, Body: c.Body}
	r.Body["id"], r.Body["name"], r.Body["type"] = id, r.Name(), typ
	schema.SetProvisioning(r, "Creating")
	p.s.Add(r)
	return c.Async(arm.Created(p.s.View(r)), p.s.Begin(kind, id, r.Location(), args), galleryStyle(r, polling.Galleries())), nil
}

// changeGallery merges a body into what is there.
func (p *Galleries) changeGallery(c *arm.Call, r *arm.Resource) (*arm.Reply, error) {
	if err := arm.CheckTags(c.Body["tags"]); err != nil {
		return nil, err
	}
	if err := unchanged(c.Body, r); err != nil {
		return nil, err
	}
	if c.Method == http.MethodPut {
		delete(r.Body, "tags")
	}
	for _, k := range []string{"tags", "properties"} {
		if v := c.Body[k]; v != nil {
			azjson.Merge(r.Body, azjson.Object{k: v}, "tags")
		}
	}
	if r.Type != schema.GalleryType { // which shows no sign of it
		schema.SetProvisioning(r, "Updating")
	}
	p.s.Touch(r)
	return c.Async(arm.OK(p.s.View(r)), p.s.Begin("gallery.put", r.ID, r.Location(), nil), galleryStyle(r, polling.Galleries())), nil
}

// fixedInGallery are the properties that cannot be changed once they are set, by type.
func fixedInGallery(typ string) [][]string {
	switch typ {
	case schema.GalleryImageType:
		return [][]string{{"osType"}, {"osState"}, {"hyperVGeneration"}, {"architecture"}, {"identifier", "publisher"}, {"identifier", "offer"}, {"identifier", "sku"}}
	case schema.GalleryVersionType:
		return [][]string{{"storageProfile", "source", "virtualMachineId"}, {"storageProfile", "source", "id"}, {"storageProfile", "osDiskImage", "source", "id"}}
	}
	return nil
}

func unchanged(body azjson.Object, r *arm.Resource) error {
	root := map[string]string{schema.GalleryImageType: "galleryImage", schema.GalleryVersionType: "galleryImageVersion"}[r.Type]
	for _, path := range fixedInGallery(r.Type) {
		full := append([]string{"properties"}, path...)
		if given := azjson.Str(body, full...); given != "" && !azjson.Fold(given, azjson.Str(r.Body, full...)) {
			return arm.Conflict("PropertyChangeNotAllowed", "Changing property '%s.properties.%s' is not allowed.", root, strings.Join(path, ".")).
				At(root + ".properties." + strings.Join(path, "."))
		}
	}
	return nil
}

func (p *Galleries) finishGallery(op *arm.Operation, _ error) (time.Duration, error) {
	if r := p.s.Find(op.Target); r != nil {
		schema.SetProvisioning(r, "Succeeded")
		p.s.Touch(r)
	}
	return 0, nil
}

func (p *Galleries) putGallery(c *arm.Call) (*arm.Reply, error) {
	id, had, err := p.intoGallery(c, schema.GalleryType, c.Param("galleryName"), galleryName)
	if err != nil {
		return nil, err
	}
	if had != nil {
		return p.changeGallery(c, had)
	}
	azjson.Put(c.Body, c.Sub()+"-"+strings.ToUpper(c.Param("galleryName")), "properties", "identifier", "uniqueName")
	return p.newInGallery(c, schema.GalleryType, id, "gallery.put", nil)
}

func (p *Galleries) putGalleryImage(c *arm.Call) (*arm.Reply, error) {
	id, had, err := p.intoGallery(c, schema.GalleryImageType, c.Param("galleryImageName"), galleryImageName)
	if err != nil {
		return nil, err
	}
	if had != nil {
		return p.changeGallery(c, had)
	}
	props := azjson.Map(c.Body, "properties")
	for _, path := range [][]string{{"osType"}, {"osState"}, {"identifier", "publisher"}, {"identifier", "offer"}, {"identifier", "sku"}} {
		if azjson.Str(props, path...) == "" {
			name := "galleryImage.properties." + strings.Join(path, ".")
			return nil, arm.InvalidParameter(name, "Required parameter '%s' is missing (null).", name)
		}
	}
	for member, values := range map[string][]string{"osType": {"Linux", "Windows"}, "osState": {"Generalized", "Specialized"}, "hyperVGeneration": {"", "V1", "V2"}, "architecture": {"", "x64", "Arm64"}} {
		if given := azjson.Str(props, member); !slices.Contains(values, given) {
			return nil, arm.InvalidParameter("galleryImage.properties."+member, "The value '%s' of parameter 'galleryImage.properties.%s' is invalid.", given, member)
		}
	}
	for _, other := range p.s.OfType(schema.GalleryImageType) {
		mine := azjson.Map(props, "identifier")
		theirs := azjson.Map(other.Body, "properties", "identifier")
		if strings.HasPrefix(resourceid.Key(other.ID), resourceid.Key(c.ID("Microsoft.Compute", "galleries", c.Param("galleryName")))+"/") &&
			azjson.Fold(azjson.Str(mine, "publisher"), azjson.Str(theirs, "publisher")) && azjson.Fold(azjson.Str(mine, "offer"), azjson.Str(theirs, "offer")) && azjson.Fold(azjson.Str(mine, "sku"), azjson.Str(theirs, "sku")) {
			return nil, arm.Conflict("Conflict", "The gallery image '%s' has the same combination of publisher, offer and sku.", other.Name())
		}
	}
	azjson.Default(props, "V1", "hyperVGeneration") // Azure's default, whatever is usual by now
	azjson.Default(props, "x64", "architecture")
	return p.newInGallery(c, schema.GalleryImageType, id, "gallery.put", nil)
}
