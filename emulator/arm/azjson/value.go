// Package azjson is JSON as Azure takes it: in a loose spelling, with the keys of known members in any case. It also reads and
// changes values in place, by paths.
package azjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
)

// Object is a JSON object as it travels on the wire.
type Object = map[string]any

// Get follows path through objects and returns what is there, or nil.
func Get(v any, path ...string) any {
	for _, k := range path {
		o, ok := v.(Object)
		if !ok {
			return nil
		}
		v = o[k]
	}
	return v
}

// Str is Get for strings; "" when there is none.
func Str(v any, path ...string) string {
	s, _ := Get(v, path...).(string)
	return s
}

// Map is Get for objects; nil when there is none.
func Map(v any, path ...string) Object {
	o, _ := Get(v, path...).(Object)
	return o
}

// List is Get for arrays; nil when there is none.
func List(v any, path ...string) []any {
	l, _ := Get(v, path...).([]any)
	return l
}

// Bool is Get for booleans; false when there is none.
func Bool(v any, path ...string) bool {
	b, _ := Get(v, path...).(bool)
	return b
}

// Int is Get for whole numbers; ok is false when there is none. A number in a string counts, as it
// does in Azure.
func Int(v any, path ...string) (n int, ok bool) {
	switch x := Get(v, path...).(type) {
	case int:
		return x, true
	case int64:
		return int(x), true
	case float64:
		return int(x), true
	case json.Number:
		i, err := x.Int64()
		return int(i), err == nil
	case string:
		i, err := strconv.Atoi(x)
		return i, err == nil
	}
	return 0, false
}

// Put stores v at path below o, making the objects on the way.
func Put(o Object, v any, path ...string) {
	for _, k := range path[:len(path)-1] {
		next, ok := o[k].(Object)
		if !ok {
			next = Object{}
			o[k] = next
		}
		o = next
	}
	o[path[len(path)-1]] = v
}

// Default is Put for a value that is absent or null.
func Default(o Object, v any, path ...string) {
	if Get(o, path...) == nil {
		Put(o, v, path...)
	}
}

// Drop removes what is at path.
func Drop(o Object, path ...string) {
	if parent := Map(o, path[:len(path)-1]...); parent != nil {
		delete(parent, path[len(path)-1])
	}
}

// Clone copies v deeply.
func Clone[T any](v T) T {
	c, _ := clone(v).(T)
	return c
}

func clone(v any) any {
	switch x := v.(type) {
	case Object:
		c := make(Object, len(x))
		for k, e := range x {
			c[k] = clone(e)
		}
		return c
	case []any:
		c := make([]any, len(x))
		for i, e := range x {
			c[i] = clone(e)
		}
		return c
	case map[string]string:
		return maps.Clone(x)
	}
	return v
}

// Merge lays patch over o in the manner of JSON merge patch: objects are merged, null removes,
// everything else replaces. Keys in whole are replaced as a whole.
func Merge(o, patch Object, whole ...string) {
next:
	for k, v := range patch {
		if v == nil {
			delete(o, k)
			continue
		}
		for _, w := range whole {
			if k == w {
				o[k] = clone(v)
				continue next
			}
		}
		if p, ok := v.(Object); ok {
			if old, ok := o[k].(Object); ok {
				Merge(old, p, whole...)
				continue
			}
		}
		o[k] = clone(v)
	}
}

// Parse reads one JSON object, in the loose sense of Azure's. Numbers keep their spelling, and keys get
// Azure's casing.
func Parse(data []byte) (Object, error) {
	o, err := parse(data)
	if err != nil {
		if loose, again := parse(relaxed(data)); again == nil {
			return loose, nil
		}
	}
	return o, err
}

func parse(data []byte) (Object, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var o Object
	if err := d.Decode(&o); err != nil {
		return nil, fmt.Errorf("parse request: %w", err)
	}
	if d.More() {
		return nil, fmt.Errorf("parse request: text after the object")
	}
	return Canonical(o), nil
}

// WithoutNulls removes null members at every depth: Azure treats them as absent.
func WithoutNulls(v any) any {
	switch x := v.(type) {
	case Object:
		for k, e := range x {
			if e == nil {
				delete(x, k)
			} else {
				WithoutNulls(e)
			}
		}
	case []any:
		for _, e := range x {
			WithoutNulls(e)
		}
	}
	return v
}

// Same reports whether two JSON values are equal, however their numbers are held.
func Same(a, b any) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && bytes.Equal(x, y)
}

// Fold reports whether two names are the same to Azure.
func Fold(a, b string) bool { return strings.EqualFold(a, b) }
