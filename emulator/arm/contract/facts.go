// Package contract knows what Azure's published API descriptions say of requests and answers, and judges bodies by
// them in the words of the service that would refuse them.
//
// It knows nothing of what is there: whether a value makes sense is for the provider to say.
package contract

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
)

//go:embed facts.json.gz
var packed string

//go:embed beyond.tsv
var beyond string

// Operation is what the descriptions say of one operation in one api-version.
type Operation struct {
	ID      string            `json:"id"`
	Method  string            `json:"m"`
	Path    string            `json:"p"`
	Version string            `json:"v"`
	Body    *Kind             `json:"body"`
	Need    int               `json:"bodyReq"` // 1: a body is needed
	Answers map[string]Answer `json:"r"`       // by status, or "default"
}

// Answer is what an operation answers with a status.
type Answer struct {
	Body *Kind `json:"b"`
}

// Definition is an object: its members by name.
type Definition map[string]Member

// Member is one member of an object.
type Member struct {
	Kind     Kind `json:"k"`
	Required int  `json:"req"` // 1: it is
	ReadOnly int  `json:"ro"`  // 1: the service says it, and takes no notice of what is sent
	Nullable int  `json:"nul"`
}

// Kind is what a value may be. One of the fields is set.
type Kind struct {
	Name   string     // s text, b true or false, i and n numbers, d a time, any
	Ref    string     // name of a definition
	List   *Kind      // of these
	Map    *Kind      // of these, under names of the client's
	Inline Definition // an object without a name of its own
	Values []string   // the texts that it may be
	Open   bool       // there may be more Values
}

// UnmarshalJSON reads the notation of the facts.
func (k *Kind) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case '"':
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return err
		}
		if ref, ok := strings.CutPrefix(s, "#"); ok {
			k.Ref = ref
		} else {
			k.Name = s
		}
		return nil
	case '[':
		var l []Kind
		if err := json.Unmarshal(data, &l); err != nil || len(l) != 1 {
			return fmt.Errorf("kind %s: %w", data, err)
		}
		k.List = &l[0]
		return nil
	}
	var o struct {
		Map    *Kind      `json:"*"`
		Inline Definition `json:"o"`
		Closed []string   `json:"e"`
		Open   []string   `json:"x"`
	}
	if err := json.Unmarshal(data, &o); err != nil {
		return err
	}
	k.Map, k.Inline, k.Values, k.Open = o.Map, o.Inline, o.Closed, o.Open != nil
	if k.Open {
		k.Values = o.Open
	}
	return nil
}

// facts are all descriptions, in the form in which they are asked for.
type facts struct {
	operations  map[string][]*Operation // by method and template, oldest first
	definitions map[string]Definition
}

// known reads the descriptions when they are first needed.
var known = sync.OnceValue(func() *facts {
	f, err := read()
	if err != nil {
		panic("the embedded descriptions: " + err.Error()) // a test reads them
	}
	return f
})

func read() (*facts, error) {
	z, err := gzip.NewReader(strings.NewReader(packed))
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	if _, err := buf.ReadFrom(z); err != nil {
		return nil, err
	}
	var file struct {
		Operations  []*Operation                          `json:"operations"`
		Definitions map[string]map[string]json.RawMessage `json:"definitions"`
	}
	if err := json.Unmarshal(buf.Bytes(), &file); err != nil {
		return nil, err
	}
	f := &facts{operations: map[string][]*Operation{}, definitions: make(map[string]Definition, len(file.Definitions))}
	for _, o := range file.Operations {
		key := o.Method + " " + shape(o.Path)
		f.operations[key] = append(f.operations[key], o)
	}
	for _, l := range f.operations {
		slices.SortStableFunc(l, func(a, b *Operation) int { return strings.Compare(a.Version, b.Version) })
	}
	for name, members := range file.Definitions {
		d := make(Definition, len(members))
		for k, raw := range members {
			var m Member
			if raw[0] == '{' { // one definition is a map, which the facts write as a member *
				if err := json.Unmarshal(raw, &m); err != nil {
					return nil, fmt.Errorf("%s.%s: %w", name, k, err)
				}
			} else {
				m.Kind.Name = "any"
			}
			d[k] = m
		}
		f.definitions[name] = d
	}
	return f, f.extend()
}

// shape is a path without the names of its placeholders.
func shape(path string) string {
	seg := strings.Split(strings.ToLower(path), "/")
	for i, s := range seg {
		if s != "" && s[0] == '{' || s == "default" {
			seg[i] = "{}"
		}
	}
	return strings.Join(seg, "/")
}

// Find returns what the descriptions say of an operation: in the oldest api-version they have from the one asked for on, else in
// the newest. Nil: nothing.
func Find(method, path, version string) *Operation {
	l := known().operations[method+" "+shape(path)]
	for _, o := range l {
		if o.Version >= version {
			return o
		}
	}
	if len(l) == 0 {
		return nil
	}
	return l[len(l)-1]
}

// object is the definition behind a kind, with the name that the service has for it.
func (k *Kind) object(name string) (Definition, string) {
	if k.Inline != nil {
		return k.Inline, name
	}
	if k.Ref == "" {
		return nil, ""
	}
	return known().definitions[k.Ref], bare(k.Ref)
}

// bare is the name of a definition without where it is from.
func bare(ref string) string {
	_, name, _ := strings.Cut(ref, ":")
	name, _, _ = strings.Cut(name, "@")
	return name
}
