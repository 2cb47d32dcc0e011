package arm

import (
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
)

// Since says of a type from which api-version on its members are shown: paths through objects and lists,
// joined by dots. Older versions do not know them, and Azure leaves them out there.
type Since map[string]string

// member is one path of a Since.
type member struct {
	path  []string
	since string
}

// Introduce records for the objects of a type, stored or part of others, when their members came to be.
func (s *Server) Introduce(typ string, since Since) {
	var l []member
	for path, v := range since {
		l = append(l, member{strings.Split(path, "."), v})
	}
	s.since[strings.ToLower(typ)] = append(s.since[strings.ToLower(typ)], l...)
}

// aged leaves out of a reply what the asked for api-version does not know. Replies hold copies of what is
// stored, so nothing is lost.
func (s *Server) aged(version string, body any) {
	o, ok := body.(azjson.Object)
	if !ok || version == "" {
		return
	}
	if l, ok := o["value"].([]any); ok {
		for _, e := range l {
			s.aged(version, e)
		}
		return
	}
	if output, ok := azjson.Get(o, "properties", "output").(azjson.Object); ok { // of an operation
		s.aged(version, output)
	}
	typ, _ := o["type"].(string)
	for _, m := range s.since[strings.ToLower(typ)] {
		if version < m.since {
			cut(o, m.path)
		}
	}
}

// cut removes what is at a path, in every element of the lists on the way.
func cut(v any, path []string) {
	switch x := v.(type) {
	case []any:
		for _, e := range x {
			cut(e, path)
		}
	case azjson.Object:
		if len(path) == 1 {
			delete(x, path[0])
			return
		}
		cut(x[path[0]], path[1:])
	}
}
