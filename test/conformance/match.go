package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// patterns are what stands between angle brackets in a shape.
var patterns = map[string]string{
	"guid":  `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`,
	"time":  `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00`,
	"timeZ": `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`,
	"date":  `(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT`,
	"etag":  `W/"[0-9a-f-]{36}"`,
	"word":  `[A-Za-z0-9_.+/=-]+`,
	"text":  `[^!]+`, // prose
	"count": `\d+`,
}

var compiled sync.Map

// expression compiles the pattern of a text of a shape: literal but for what is in angle brackets, and what
// follows "re:".
func expression(want string) *regexp.Regexp {
	if re, ok := compiled.Load(want); ok {
		return re.(*regexp.Regexp)
	}
	source, isRE := strings.CutPrefix(want, "re:")
	if !isRE {
		source = regexp.QuoteMeta(want)
	}
	for name, p := range patterns {
		source = strings.ReplaceAll(source, "<"+name+">", "(?:"+p+")")
	}
	re := regexp.MustCompile(`^(?s:` + source + `)$`)
	compiled.Store(want, re)
	return re
}

// Match holds a value against a shape and returns what differs. In a shape,
//
//   - a text is literal, but for <guid>, <time> and the like, and for what follows re:
//   - <int> stands for a whole number, <number> for any, <bool> for true or false
//   - an object has these members and no others; a name that ends in ? may be absent in Azure, and "..." lets there be more
//   - a list has these elements; {list: shape} is one of any length, {each: shape} one that is not
//     empty, {has: shape} one with such an element
//
// Without strict, unknown members of objects do not count: Azure may add some at any time.
func Match(shape, got any, strict bool) []string {
	m := matching{strict: strict}
	m.value("", shape, got)
	slices.Sort(m.found)
	return m.found
}

type matching struct {
	strict bool
	found  []string
}

func (m *matching) differ(path, format string, args ...any) {
	if path == "" {
		path = "body"
	}
	m.found = append(m.found, strings.TrimPrefix(path, ".")+" "+fmt.Sprintf(format, args...))
}

func (m *matching) value(path string, shape, got any) {
	switch want := shape.(type) {
	case map[string]any:
		if of, ok := want["list"]; ok && len(want) == 1 {
			if l, ok := got.([]any); !ok || len(l) > 0 {
				m.each(path, of, got)
			}
			return
		}
		if each, ok := want["each"]; ok && len(want) == 1 {
			m.each(path, each, got)
			return
		}
		if has, ok := want["has"]; ok && len(want) == 1 {
			m.has(path, has, got)
			return
		}
		m.object(path, want, got)
	case []any:
		l, ok := got.([]any)
		if !ok || len(l) != len(want) {
			m.differ(path, "is %s, not a list of %d", brief(got), len(want))
			return
		}
		for i := range want {
			m.value(fmt.Sprintf("%s[%d]", path, i), want[i], l[i])
		}
	case string:
		if want == "<bool>" {
			if _, ok := got.(bool); !ok {
				m.differ(path, "is %s, not true or false", brief(got))
			}
			return
		}
		if want == "<int>" {
			if n, ok := got.(json.Number); !ok || strings.ContainsAny(n.String(), ".eE-") {
				m.differ(path, "is %s, not a whole number", brief(got))
			}
			return
		}
		if want == "<number>" {
			if _, ok := got.(json.Number); !ok {
				m.differ(path, "is %s, not a number", brief(got))
			}
			return
		}
		if s, ok := got.(string); !ok || !expression(want).MatchString(s) {
			m.differ(path, "is %s, not %q", brief(got), want)
		}
	default:
		a, _ := json.Marshal(want)
		if b, _ := json.Marshal(got); string(a) != string(b) {
			m.differ(path, "is %s, not %s", brief(got), a)
		}
	}
}

func (m *matching) object(path string, want map[string]any, got any) {
	o, ok := got.(map[string]any)
	if !ok {
		m.differ(path, "is %s, not an object", brief(got))
		return
	}
	known := map[string]bool{}
	for _, k := range slices.Sorted(maps.Keys(want)) {
		name, optional := strings.CutSuffix(k, "?")
		known[name] = true
		v, ok := o[name]
		switch {
		case k == "...":
		case ok:
			m.value(path+"."+name, want[k], v)
		case !optional || m.strict:
			m.differ(path+"."+name, "is missing")
		}
	}
	if _, open := want["..."]; open || !m.strict {
		return
	}
	for _, k := range slices.Sorted(maps.Keys(o)) {
		if !known[k] {
			m.differ(path+"."+k, "is not expected: %s", brief(o[k]))
		}
	}
}

func (m *matching) each(path string, shape, got any) {
	l, ok := got.([]any)
	if !ok || len(l) == 0 {
		m.differ(path, "is %s, not a list with anything in it", brief(got))
		return
	}
	for i, e := range l {
		m.value(fmt.Sprintf("%s[%d]", path, i), shape, e)
	}
}

func (m *matching) has(path string, shape, got any) {
	l, _ := got.([]any)
	var nearest []string
	for _, e := range l {
		found := Match(shape, e, m.strict)
		if len(found) == 0 {
			return
		}
		if nearest == nil || len(found) < len(nearest) {
			nearest = found
		}
	}
	m.differ(path, "has no such element in %s; the nearest: %q", brief(got), nearest)
}

func brief(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	if len(b) > 160 {
		return string(b[:160]) + "…"
	}
	return string(b)
}
