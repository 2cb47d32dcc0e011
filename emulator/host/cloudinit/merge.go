package cloudinit

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// mergers say how one #cloud-config is added to those before it: cloud-init's "dict(replace)+list()+str()".
type mergers map[string][]string

const defaultMergers = "dict(replace)+list()+str()"

// parseMergers reads the header Merge-Type, or merge_how written as a string.
func parseMergers(text string) mergers {
	m := mergers{}
	for term := range strings.SplitSeq(text, "+") {
		name, rest, _ := strings.Cut(strings.TrimSpace(term), "(")
		var options []string
		for o := range strings.SplitSeq(strings.TrimSuffix(rest, ")"), ",") {
			if o = strings.TrimSpace(o); o != "" {
				options = append(options, o)
			}
		}
		if _, twice := m[name]; !twice && name != "" { // the first of a kind wins
			m[name] = options
		}
	}
	return m
}

// mergersOf reads merge_how or merge_type of a document.
func mergersOf(doc *yaml.Node) (mergers, error) {
	for _, key := range []string{"merge_how", "merge_type"} {
		value := lookup(doc, key)
		if value == nil {
			continue
		}
		if value.Kind == yaml.ScalarNode {
			return parseMergers(value.Value), nil
		}
		var list []struct {
			Name     string
			Settings []string
		}
		if err := value.Decode(&list); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		m := mergers{}
		for _, l := range list {
			m[l.Name] = l.Settings
		}
		return m, nil
	}
	return nil, nil
}

func lookup(doc *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(doc.Content); i += 2 {
		if doc.Content[i].Value == key {
			return doc.Content[i+1]
		}
	}
	return nil
}

func (m mergers) has(kind string, options ...string) bool {
	return slices.ContainsFunc(options, func(o string) bool { return slices.Contains(m[kind], o) })
}

// merge adds b to a, which it may change. A kind of value that has no merger is left as it is.
func (m mergers) merge(a, b *yaml.Node) *yaml.Node {
	switch {
	case a.Kind == yaml.MappingNode && b.Kind == yaml.MappingNode && m["dict"] != nil:
		return m.mappings(a, b)
	case a.Kind == yaml.SequenceNode && b.Kind == yaml.SequenceNode && m["list"] != nil:
		return m.lists(a, b)
	case a.Kind == yaml.ScalarNode && b.Kind == yaml.ScalarNode && m.has("str", "append"):
		joined := *a
		joined.Value += b.Value
		return &joined
	}
	return a
}

func (m mergers) mappings(a, b *yaml.Node) *yaml.Node {
	replace := !m.has("dict", "no_replace") && m.has("dict", "replace")
	for i := 0; i+1 < len(b.Content); i += 2 {
		key, value := b.Content[i], b.Content[i+1]
		at := -1
		for j := 0; j+1 < len(a.Content); j += 2 {
			if a.Content[j].Value == key.Value {
				at = j + 1
			}
		}
		switch {
		case at < 0:
			a.Content = append(a.Content, key, value)
		case replace:
			a.Content[at] = value
		case value.Kind == yaml.SequenceNode && m.has("dict", "recurse_list", "recurse_array"),
			value.Kind == yaml.ScalarNode && m.has("dict", "recurse_str"), value.Kind == yaml.MappingNode:
			a.Content[at] = m.merge(a.Content[at], value)
		}
	}
	return a
}

func (m mergers) lists(a, b *yaml.Node) *yaml.Node {
	switch {
	case m.has("list", "prepend"):
		a.Content = slices.Concat(b.Content, a.Content)
	case m.has("list", "append"):
		a.Content = append(a.Content, b.Content...)
	case m.has("list", "no_replace"):
	default:
		copy(a.Content, b.Content)
	}
	return a
}
