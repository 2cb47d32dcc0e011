package arm

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Resource is one stored resource.
type Resource struct {
	ID      string    `json:"id"` // as Azure spells it
	Type    string    `json:"type"`
	Body    Object    `json:"body"`             // what GET shows, but for what a Type's View adds
	Hidden  Object    `json:"hidden,omitempty"` // what no GET shows: custom data, power state
	Created time.Time `json:"created"`
	Changed time.Time `json:"changed"`
}

// Name is the resource's own name.
func (r *Resource) Name() string { return NameOf(r.ID) }

// Group is the resource group's name.
func (r *Resource) Group() string { return GroupOf(r.ID) }

// Location is the region's name.
func (r *Resource) Location() string { return Str(r.Body, "location") }

// Props is the "properties" object, made when it is missing.
func (r *Resource) Props() Object {
	p := Map(r.Body, "properties")
	if p == nil {
		p = Object{}
		r.Body["properties"] = p
	}
	return p
}

// store holds resources by lower-cased id, and the keys of each type.
type store struct {
	byID   map[string]*Resource
	byType map[string]map[string]*Resource
}

func newStore() store {
	return store{byID: map[string]*Resource{}, byType: map[string]map[string]*Resource{}}
}

// Find returns the resource with this id, however it is spelt, or nil.
func (s *Server) Find(id string) *Resource { return s.store.byID[Key(id)] }

// FindType is Find for a resource that must be of a certain type.
func (s *Server) FindType(typ, id string) *Resource {
	r := s.Find(id)
	if r == nil || !Fold(r.Type, typ) {
		return nil
	}
	return r
}

// Add stores a new resource, or replaces the one with the same id.
func (s *Server) Add(r *Resource) {
	if r.Hidden == nil {
		r.Hidden = Object{}
	}
	if r.Created.IsZero() {
		r.Created = s.now
	}
	r.Changed = s.now
	s.insert(r)
	s.touched()
}

func (s *Server) insert(r *Resource) {
	key, typ := Key(r.ID), strings.ToLower(r.Type)
	s.store.byID[key] = r
	if s.store.byType[typ] == nil {
		s.store.byType[typ] = map[string]*Resource{}
	}
	s.store.byType[typ][key] = r
}

// Touch records that a resource was changed.
func (s *Server) Touch(r *Resource) {
	r.Changed = s.now
	s.touched()
}

// Forget removes a resource from the store and does nothing else.
func (s *Server) Forget(r *Resource) {
	delete(s.store.byID, Key(r.ID))
	delete(s.store.byType[strings.ToLower(r.Type)], Key(r.ID))
	s.touched()
}

// OfType returns the resources of a type in the order of their keys.
func (s *Server) OfType(typ string) []*Resource {
	m := s.store.byType[strings.ToLower(typ)]
	l := make([]*Resource, 0, len(m))
	for _, r := range m {
		l = append(l, r)
	}
	byKey(l)
	return l
}

// InGroup returns all resources of a group.
func (s *Server) InGroup(sub, group string) []*Resource {
	prefix := Key("/subscriptions/"+sub+"/resourceGroups/"+group) + "/"
	var l []*Resource
	for k, r := range s.store.byID {
		if strings.HasPrefix(k, prefix) {
			l = append(l, r)
		}
	}
	byKey(l)
	return l
}

func byKey(l []*Resource) {
	slices.SortFunc(l, func(a, b *Resource) int { return cmp.Compare(Key(a.ID), Key(b.ID)) })
}

// View is a resource as a reply shows it: a copy, with what the type adds.
func (s *Server) View(r *Resource) Object {
	o := Clone(r.Body)
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
