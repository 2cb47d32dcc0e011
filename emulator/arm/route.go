package arm

import (
	"net/http"
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
)

// Type is what a provider says of a resource type.
type Type struct {
	Name     string   // Microsoft.Compute/virtualMachines
	Versions []string // api-versions that are accepted, oldest first
	Rank     int      // order in which a group's deletion takes its resources, lowest first
	Unlisted bool     // not shown among the resources of a group
	// View adds to a copy of the body what is not stored in it. May be nil.
	View func(r *Resource, o azjson.Object)
	// InUse says why the resource may not be deleted. May be nil.
	InUse func(r *Resource) *Error
	// Referrers are the ids of the resources that keep this one from being deleted. May be nil.
	Referrers func(r *Resource) []string
	// Preflight refuses a body that a template deployment wants to put. May be nil.
	Preflight func(body azjson.Object) *Error
	// Removed is told that the resource is going. May be nil.
	Removed func(r *Resource)
	// Tagged is told that the resource's tags were replaced. May be nil.
	Tagged func(r *Resource)
}

// Namespace is the provider's name.
func (t *Type) Namespace() string {
	ns, _, _ := strings.Cut(t.Name, "/")
	return ns
}

// Handler answers one request. It runs while the server is locked.
type Handler func(c *Call) (*Reply, error)

// Route is one operation that is emulated.
type Route struct {
	Method   string
	Template string // as in Azure's specification: /subscriptions/{subscriptionId}/...
	Versions []string
	handler  Handler
	segments []string
	scoped   bool // starts with {scope}
}

// Kind is the resource type that a route is about, without its namespace: virtualMachines.
func (r *Route) Kind() (namespace, typ string) {
	seg := r.segments
	i := len(seg) - 1
	for i >= 0 && seg[i] != "providers" {
		i--
	}
	if i < 0 || i+1 >= len(seg) || seg[i+1][0] == '{' {
		return "", ""
	}
	var types []string
	for _, s := range seg[min(i+2, len(seg)):] {
		if s[0] != '{' {
			types = append(types, s)
		}
	}
	// An action is not a type: the type ends where names end.
	if len(types) > 1 && r.Method == http.MethodPost {
		types = types[:len(types)-1]
	}
	return seg[i+1], strings.Join(types, "/")
}

// Register announces a resource type.
func (s *Server) Register(t *Type) { s.types[strings.ToLower(t.Name)] = t }

// Type returns a registered type, or nil.
func (s *Server) Type(name string) *Type { return s.types[strings.ToLower(name)] }

// Types returns all registered types by name.
func (s *Server) Types() []*Type {
	l := make([]*Type, 0, len(s.types))
	for _, t := range s.types {
		l = append(l, t)
	}
	slices.SortFunc(l, func(a, b *Type) int { return strings.Compare(a.Name, b.Name) })
	return l
}

// Handle adds a route. versions are the api-versions it accepts; nil asks for none.
func (s *Server) Handle(method, template string, versions []string, h Handler) {
	seg := strings.Split(strings.Trim(template, "/"), "/")
	s.routes = append(s.routes, &Route{
		Method: method, Template: template, Versions: versions,
		handler: h, segments: seg, scoped: seg[0] == "{scope}",
	})
}

// Routes returns all routes in the order of registration.
func (s *Server) Routes() []*Route { return slices.Clone(s.routes) }

// match finds the route for a path. known reports that another method of the path is served.
func (s *Server) match(method, path string) (r *Route, params map[string]string, known *Route) {
	seg := strings.Split(strings.Trim(path, "/"), "/")
	for _, scoped := range []bool{false, true} {
		for _, c := range s.routes {
			if c.scoped != scoped {
				continue
			}
			p, ok := c.match(seg)
			if !ok {
				continue
			}
			if c.Method == method {
				return c, p, c
			}
			known = c
		}
		if known != nil {
			return nil, nil, known
		}
	}
	return nil, nil, nil
}

func (r *Route) match(seg []string) (map[string]string, bool) {
	tmpl := r.segments
	params := map[string]string{}
	if r.scoped {
		n := len(seg) - (len(tmpl) - 1)
		if n < 2 {
			return nil, false
		}
		params["scope"] = "/" + strings.Join(seg[:n], "/")
		seg, tmpl = seg[n:], tmpl[1:]
	}
	if len(seg) != len(tmpl) {
		return nil, false
	}
	for i, t := range tmpl {
		if t[0] == '{' {
			if seg[i] == "" {
				return nil, false
			}
			params[t[1:len(t)-1]] = seg[i]
		} else if !azjson.Fold(t, seg[i]) {
			return nil, false
		}
	}
	return params, true
}
