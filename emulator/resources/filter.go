package resources

import (
	"regexp"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
)

// term is one comparison of a $filter, in either of its two forms.
var term = regexp.MustCompile(`(?i)^\s*(?:(\w+)\s+(eq|ne)\s+'((?:[^']|'')*)'|substringof\(\s*'((?:[^']|'')*)'\s*,\s*(\w+)\s*\))\s*`)

var conjunction = regexp.MustCompile(`(?i)^and\s+`)

// filter is a $filter that was understood.
type filter struct {
	checks []func(*arm.Resource) bool
	byTag  bool // it names a tag: Azure then leaves the tags out of the answer
}

func (f filter) keeps(r *arm.Resource) bool {
	for _, c := range f.checks {
		if !c(r) {
			return false
		}
	}
	return true
}

// parseFilter reads the $filter forms that the generic lists know: comparisons of name, location, resourceType,
// resourceGroup, tagName and tagValue, joined by and.
func parseFilter(text string) (filter, error) {
	var f filter
	var tagName string
	narrow := false // by group or type, which tags cannot be combined with
	rest := strings.TrimSpace(text)
	for rest != "" {
		m := term.FindStringSubmatch(rest)
		if m == nil {
			return f, badFilter(text)
		}
		rest = rest[len(m[0]):]
		field, value, equal := strings.ToLower(m[1]), strings.ReplaceAll(m[3], "''", "'"), strings.EqualFold(m[2], "eq")
		part := m[5] != ""
		if part {
			field, value, equal = strings.ToLower(m[5]), strings.ReplaceAll(m[4], "''", "'"), true
		}
		if field == "tagname" {
			tagName, f.byTag = value, true
		}
		narrow = narrow || field == "resourcegroup" || field == "resourcetype"
		if narrow && f.byTag {
			return f, badFilter(text)
		}
		get, ok := fields(field, tagName)
		if !ok {
			return f, badFilter(text)
		}
		f.checks = append(f.checks, func(r *arm.Resource) bool {
			have, present := get(r)
			if part {
				return present && strings.Contains(strings.ToLower(have), strings.ToLower(value))
			}
			return (present && azjson.Fold(have, value)) == equal
		})
		if rest == "" {
			break
		}
		and := conjunction.FindString(rest)
		if and == "" {
			return f, badFilter(text)
		}
		rest = rest[len(and):]
	}
	return f, nil
}

func fields(field, tagName string) (func(*arm.Resource) (string, bool), bool) {
	switch field {
	case "name":
		return func(r *arm.Resource) (string, bool) { return r.Name(), true }, true
	case "location":
		return func(r *arm.Resource) (string, bool) { return r.Location(), true }, true
	case "resourcetype":
		return func(r *arm.Resource) (string, bool) { return r.Type, true }, true
	case "resourcegroup":
		return func(r *arm.Resource) (string, bool) { return r.Group(), true }, true
	case "tagname":
		return func(r *arm.Resource) (string, bool) {
			k, _, ok := tagOf(r, tagName)
			return k, ok
		}, true
	case "tagvalue":
		return func(r *arm.Resource) (string, bool) {
			if tagName != "" {
				_, v, ok := tagOf(r, tagName)
				return v, ok
			}
			return "", false
		}, true
	}
	return nil, false
}

// tagOf finds a tag; names do not depend on case.
func tagOf(r *arm.Resource, name string) (key, value string, ok bool) {
	for k, v := range azjson.Map(r.Body, "tags") {
		if azjson.Fold(k, name) {
			s, _ := v.(string)
			return k, s, true
		}
	}
	return "", "", false
}

func badFilter(filter string) error {
	return arm.BadRequest("InvalidFilterInQueryString", "Invalid $filter '%s' specified in the query string.", filter)
}
