package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// node is a JSON value with the place where it ends.
type node struct {
	kind    byte // { [ " 0 t n
	members []member
	items   []*node
	text    string // of a text, a number, or true and false
	end     int    // offset after it
}

// member is a member of an object; named is the offset after its name and colon.
type member struct {
	name  string
	named int
	value *node
}

// reader makes nodes of a body.
type reader struct {
	d   *json.Decoder
	raw []byte
}

func parse(raw []byte) (*node, error) {
	r := reader{d: json.NewDecoder(bytes.NewReader(raw)), raw: raw}
	r.d.UseNumber()
	return r.value()
}

func (r reader) value() (*node, error) {
	t, err := r.d.Token()
	if err != nil {
		return nil, err
	}
	n := &node{}
	switch t := t.(type) {
	case json.Delim:
		n.kind = byte(t)
		for r.d.More() {
			if n.kind == '[' {
				e, err := r.value()
				if err != nil {
					return nil, err
				}
				n.items = append(n.items, e)
				continue
			}
			m, err := r.member()
			if err != nil {
				return nil, err
			}
			n.members = append(n.members, m)
		}
		if _, err := r.d.Token(); err != nil {
			return nil, err
		}
	case string:
		n.kind, n.text = '"', t
	case json.Number:
		n.kind, n.text = '0', t.String()
	case bool:
		n.kind, n.text = 't', fmt.Sprint(t)
	default:
		n.kind = 'n'
	}
	n.end = int(r.d.InputOffset())
	return n, nil
}

func (r reader) member() (member, error) {
	t, err := r.d.Token()
	if err != nil {
		return member{}, err
	}
	name, ok := t.(string)
	if !ok {
		return member{}, fmt.Errorf("%v is no name", t)
	}
	at := int(r.d.InputOffset())
	if i := bytes.IndexByte(r.raw[at:], ':'); i >= 0 {
		at += i + 1
	}
	v, err := r.value()
	return member{name, at, v}, err
}

// get returns a member by name, in any case; nil for none and for null.
func (n *node) get(name string) *node {
	for _, m := range n.members {
		if strings.EqualFold(m.name, name) && m.value.kind != 'n' {
			return m.value
		}
	}
	return nil
}

// place is an offset as Azure's reader counts it: columns after the first line begin with one.
func place(raw []byte, offset int) string {
	before := raw[:min(offset, len(raw))]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := len(before)
	if i := bytes.LastIndexByte(before, '\n'); i >= 0 {
		column = len(before) - i
	}
	return fmt.Sprintf("line %d, position %d", line, column)
}
