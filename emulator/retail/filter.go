package retail

import (
	"fmt"
	"strings"
)

// filter is what an item must have: values by field, compared with their case.
type filter map[string]string

// parseFilter reads "field eq 'value' and field eq 'value'", in which a quote in a value is written twice.
// The real service knows more operators.
func parseFilter(s string) (filter, error) {
	f := filter{}
	rest := strings.TrimSpace(s)
	for rest != "" {
		field, after, ok := strings.Cut(rest, " eq '")
		field = strings.TrimSpace(field)
		if !ok || strings.ContainsAny(field, " '()") || field == "" {
			return nil, fmt.Errorf("cannot read the filter at %q", rest)
		}
		value, after, ok := quoted(after)
		if !ok {
			return nil, fmt.Errorf("a quote is not closed at %q", rest)
		}
		if old, twice := f[field]; twice && old != value {
			value = "\x00" // nothing is both
		}
		f[field] = value
		after = strings.TrimSpace(after)
		if after == "" {
			break
		}
		if rest, ok = strings.CutPrefix(after, "and "); !ok {
			return nil, fmt.Errorf("want 'and' at %q", after)
		}
		if rest = strings.TrimSpace(rest); rest == "" {
			return nil, fmt.Errorf("the filter ends with 'and'")
		}
	}
	return f, nil
}

// quoted reads up to the quote that ends a value.
func quoted(s string) (value, rest string, ok bool) {
	var b strings.Builder
	for {
		part, after, found := strings.Cut(s, "'")
		b.WriteString(part)
		if !found {
			return "", "", false
		}
		if !strings.HasPrefix(after, "'") {
			return b.String(), after, true
		}
		b.WriteByte('\'')
		s = after[1:]
	}
}

// matches reports whether an item has all values. A field that no item has is an error of the caller.
func (f filter) matches(i Item) bool {
	for field, want := range f {
		if have, ok := i.field(field); !ok || have != want {
			return false
		}
	}
	return true
}

func (f filter) unknown() string {
	for field := range f {
		if _, ok := (Item{}).field(field); !ok {
			return field
		}
	}
	return ""
}
