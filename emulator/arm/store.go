package arm

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
)

// Resource is one stored resource.
type Resource struct {
	ID      string        `json:"id"` // as Azure spells it
	Type    string        `json:"type"`
	Body    azjson.Object `json:"body"`             // what GET shows, but for what a Type's View adds
	Hidden  azjson.Object `json:"hidden,omitempty"` // what no GET shows: custom data, power state
	Created time.Time     `json:"created"`
	Changed time.Time     `json:"changed"`
	key     string
}

// Name is the resource's own name.
func (r *Resource) Name() string { return resourceid.NameOf(r.ID) }

// Group is the resource group's name.
func (r *Resource) Group() string { return resourceid.GroupOf(r.ID) }

// Location is the region's name.
func (r *Resource) Location() string { return azjson.Str(r.Body, "location") }

// Props is the "properties" object, made when it is missing.
func (r *Resource) Props() azjson.Object {
	p := azjson.Map(r.Body, "properties")
	if p == nil {
		p = azjson.Object{}
		r.Body["properties"] = p
	}
	return p
}

// store holds resources by lower-cased id, and those of each type in the order of their keys.
type store struct {
	byID   map[string]*Resource
	byType map[string][]*Resource // never changed in place: lists are being walked while resources go
}

func newStore() store {
	return store{byID: map[string]*Resource{}, byType: map[string][]*Resource{}}
}

func compareKeys(r *Resource, key string) int { return cmp.Compare(r.key, key) }

// Find returns the resource with this id, however it is spelt, or nil.
func (s *Server) Find(id string) *Resource {
	r := s.store.byID[resourceid.Key(id)]
	if r != nil {
		s.track.seen(trackResource, r.key)
	}
	return r
}

// FindType is Find for a resource that must be of a certain type.
func (s *Server) FindType(typ, id string) *Resource {
	r := s.Find(id)
	if r == nil || !azjson.Fold(r.Type, typ) {
		return nil
	}
	return r
}

// Add stores a new resource, or replaces the one with the same id.
func (s *Server) Add(r *Resource) {
	if r.Hidden == nil {
		r.Hidden = azjson.Object{}
	}
	if r.Created.IsZero() {
		r.Created = s.now
	}
	r.Changed = s.now
	s.insert(r)
	s.touched()
}

func (s *Server) insert(r *Resource) {
	r.key = resourceid.Key(r.ID)
	s.store.byID[r.key] = r
	s.track.mark(trackResource, r.key)
	typ := strings.ToLower(r.Type)
	l := s.store.byType[typ]
	i, found := slices.BinarySearchFunc(l, r.key, compareKeys)
	l = slices.Clone(l)
	if found {
		l[i] = r
	} else {
		l = slices.Insert(l, i, r)
	}
	s.store.byType[typ] = l
}

// Touch records that a resource was changed.
func (s *Server) Touch(r *Resource) {
	r.Changed = s.now
	s.track.mark(trackResource, r.key)
	s.touched()
}

// Forget removes a resource from the store and does nothing else.
func (s *Server) Forget(r *Resource) {
	delete(s.store.byID, r.key)
	s.track.mark(trackResource, r.key)
	typ := strings.ToLower(r.Type)
	l := s.store.byType[typ]
	if i, found := slices.BinarySearchFunc(l, r.key, compareKeys); found {
		s.store.byType[typ] = slices.Delete(slices.Clone(l), i, i+1)
	}
	s.touched()
}

// OfType returns the resources of a type in the order of their keys. The slice is not the caller's
// to change.
func (s *Server) OfType(typ string) []*Resource { return s.store.byType[strings.ToLower(typ)] }

// InGroup returns all resources of a group.
func (s *Server) InGroup(sub, group string) []*Resource {
	prefix := resourceid.Key("/subscriptions/"+sub+"/resourceGroups/"+group) + "/"
	var l []*Resource
	for k, r := range s.store.byID {
		if strings.HasPrefix(k, prefix) {
			s.track.seen(trackResource, r.key)
			l = append(l, r)
		}
	}
	byKey(l)
	return l
}

func byKey(l []*Resource) {
	slices.SortFunc(l, func(a, b *Resource) int { return cmp.Compare(a.key, b.key) })
}

// View is a resource as a reply shows it: a copy, with what the type adds.
func (s *Server) View(r *Resource) azjson.Object {
	o := azjson.Clone(r.Body)
	if t := s.Type(r.Type); t != nil && t.View != nil {
		t.View(r, o)
	}
	return o
}

// Refused returns why a resource may not be deleted now, or nil.
func (s *Server) Refused(r *Resource) *Error {
	if t := s.Type(r.Type); t != nil && t.InUse != nil {
		return t.InUse(r)
	}
	return nil
}

// Remove removes a resource with all that its type removes along with it.
func (s *Server) Remove(r *Resource) {
	if t := s.Type(r.Type); t != nil && t.Removed != nil {
		t.Removed(r)
	}
	s.Forget(r)
}
