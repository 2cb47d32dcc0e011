package az

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Differences holds what az printed of a resource against the resource itself, as Azure Resource Manager
// gives it: field by field, in both directions. az flattens "properties", renames a few members, adds
// resourceGroup, shows absent members as null and times in its own form; nothing else may differ.
//
// renamed maps the names of az to those of Azure. unshown are members, by their last name, that az's
// models do not have.
func Differences(printed, stored any, renamed map[string]string, unshown ...string) []string {
	c := comparison{renamed: map[string]string{}, unshown: map[string]bool{}}
	for k, v := range renamed {
		c.renamed[strings.ToLower(k)] = strings.ToLower(v)
	}
	for _, k := range unshown {
		c.unshown[strings.ToLower(k)] = true
	}
	c.value("", printed, stored)
	slices.Sort(c.found)
	return c.found
}

type comparison struct {
	renamed map[string]string
	unshown map[string]bool
	found   []string
}

func (c *comparison) differ(path, format string, args ...any) {
	c.found = append(c.found, strings.TrimPrefix(path, ".")+": "+fmt.Sprintf(format, args...))
}

func (c *comparison) value(path string, printed, stored any) {
	switch s := stored.(type) {
	case map[string]any:
		p, ok := printed.(map[string]any)
		if !ok {
			if printed != nil || len(flat(s)) > 0 {
				c.differ(path, "az shows %v, Azure has %v", printed, stored)
			}
			return
		}
		c.object(path, flat(p), flat(s))
	case []any:
		p, ok := printed.([]any)
		if !ok && printed == nil && len(s) == 0 {
			return
		}
		if !ok || len(p) != len(s) {
			c.differ(path, "az shows %v, Azure has %v", printed, stored)
			return
		}
		for i := range s {
			c.value(fmt.Sprintf("%s[%d]", path, i), p[i], s[i])
		}
	default:
		if !same(printed, stored) {
			c.differ(path, "az shows %v, Azure has %v", printed, stored)
		}
	}
}

func (c *comparison) object(path string, printed, stored map[string]any) {
	members := map[string]any{}
	for k, v := range printed {
		name := strings.ToLower(k)
		if r, ok := c.renamed[name]; ok {
			name = r
		}
		members[name] = v
	}
	for k, v := range stored {
		name := strings.ToLower(k)
		if shown, ok := members[name]; ok {
			c.value(path+"."+k, shown, v)
		} else if !c.unshown[name] && v != nil {
			c.differ(path+"."+k, "az does not show it; Azure has %v", v)
		}
		delete(members, name)
	}
	for k, v := range members {
		if k != "resourcegroup" && !empty(v) {
			c.differ(path+"."+k, "az shows %v, Azure has nothing", v)
		}
	}
}

// flat lifts "properties" into the object that has them. One of the same name as a member of the object keeps
// "properties." before its own.
func flat(o map[string]any) map[string]any {
	props, ok := o["properties"].(map[string]any)
	if !ok {
		return o
	}
	f := maps.Clone(o)
	delete(f, "properties")
	for k, v := range props {
		if _, taken := o[k]; taken {
			k = "properties." + k
		}
		f[k] = v
	}
	return f
}

func empty(v any) bool {
	switch x := v.(type) {
	case nil:
		return true
	case string:
		return x == ""
	case []any:
		return len(x) == 0
	case map[string]any:
		for _, e := range x {
			if !empty(e) {
				return false
			}
		}
		return true
	}
	return false
}

// same reports whether two plain values mean the same: ids do not depend on case, times on their form.
func same(printed, stored any) bool {
	p, okP := printed.(string)
	s, okS := stored.(string)
	if !okP || !okS {
		return fmt.Sprint(printed) == fmt.Sprint(stored)
	}
	if p == s || strings.HasPrefix(strings.ToLower(s), "/subscriptions/") && strings.EqualFold(p, s) {
		return true
	}
	a, errA := time.Parse(time.RFC3339Nano, p)
	b, errB := time.Parse(time.RFC3339Nano, s)
	return errA == nil && errB == nil && a.Truncate(time.Microsecond).Equal(b.Truncate(time.Microsecond))
}
