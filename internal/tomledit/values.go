package tomledit

import (
	"maps"
	"math"
	"reflect"
)

// with returns table with value at path; tables on the way are copied or created.
func with(table map[string]any, path []string, value any) map[string]any {
	out := maps.Clone(table)
	if out == nil {
		out = map[string]any{}
	}
	if len(path) == 1 {
		out[path[0]] = value
		return out
	}
	inner, _ := out[path[0]].(map[string]any) // absent: created
	out[path[0]] = with(inner, path[1:], value)
	return out
}

// without returns table with nothing at path.
func without(table map[string]any, path []string) map[string]any {
	out := maps.Clone(table)
	if len(path) == 1 {
		delete(out, path[0])
		return out
	}
	if inner, ok := out[path[0]].(map[string]any); ok {
		out[path[0]] = without(inner, path[1:])
	}
	return out
}

// same compares decoded values. An empty table equals an absent one: a table without a header disappears with its last key.
func same(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok {
			return false
		}
		for k := range a {
			if !same(a[k], b[k]) && !(void(a[k]) && void(b[k])) {
				return false
			}
		}
		for k := range b {
			if _, ok := a[k]; !ok && !void(b[k]) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !same(a[i], b[i]) {
				return false
			}
		}
		return true
	case float64:
		b, ok := b.(float64)
		return ok && (a == b || math.IsNaN(a) && math.IsNaN(b))
	}
	return reflect.DeepEqual(a, b)
}

// void reports whether v is nil, or only nested empty tables.
func void(v any) bool {
	table, ok := v.(map[string]any)
	if !ok {
		return v == nil
	}
	for _, inner := range table {
		if !void(inner) {
			return false
		}
	}
	return true
}
