// Package tomledit changes single values of a TOML document and keeps every other byte: comments, order, spacing, line
// endings and unknown keys.
// It edits text; it does not interpret keys, and it reads no files.
package tomledit

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// Document is a parsed TOML document. It is immutable: edits return a new one.
type Document struct {
	data     []byte
	values   map[string]any
	sections []section // the first is the part before any header
}

// span is a range of bytes.
type span struct{ start, end int }

// section is a header with the pairs below it.
type section struct {
	path  []string
	parts []span // of each part of path
	line  span   // the header's line; empty for the first section
	array bool   // [[x]], or below one: its path does not name one table
	pairs []pair
}

// pair is `key = value`, at the top of a section or in an inline table.
type pair struct {
	key   []string
	parts []span // of each part of key
	line  span   // all its lines, including comments after the value; only outside inline tables
	whole span   // from the key to the end of the value
	value span
	table bool   // the value is an inline table
	inner []pair // of the inline table
}

// Error is a syntax error with its position.
type Error struct {
	Line, Column int // from 1; the column counts bytes
	Message      string
}

func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// Parse parses a document. Its errors are of type *Error.
func Parse(data []byte) (*Document, error) {
	d := &Document{data: slices.Clone(data), values: map[string]any{}, sections: []section{{}}}
	if err := toml.Unmarshal(d.data, &d.values); err != nil {
		if syntax, ok := errors.AsType[*toml.DecodeError](err); ok {
			line, column := syntax.Position()
			return nil, &Error{Line: line, Column: column, Message: syntax.Error()}
		}
		return nil, &Error{Line: 1, Column: 1, Message: err.Error()}
	}
	p := unstable.Parser{KeepComments: true}
	p.Reset(d.data)
	for p.NextExpression() {
		d.add(p.Expression())
	}
	if err := p.Error(); err != nil { // unreachable, because toml.Unmarshal reported no error
		return nil, &Error{Line: 1, Column: 1, Message: err.Error()}
	}
	return d, nil
}

// add adds one top-level expression.
func (d *Document) add(n *unstable.Node) {
	switch n.Kind {
	case unstable.KeyValue:
		last := &d.sections[len(d.sections)-1]
		last.pairs = append(last.pairs, d.pair(n))
	case unstable.Table, unstable.ArrayTable:
		path, parts := keyOf(n)
		array := n.Kind == unstable.ArrayTable
		for _, s := range d.sections {
			array = array || s.array && startsWith(path, s.path)
		}
		d.sections = append(d.sections, section{
			path: path, parts: parts, array: array, line: d.lines(span{parts[0].start, parts[len(parts)-1].end}),
		})
	}
}

func (d *Document) pair(n *unstable.Node) pair {
	key, parts := keyOf(n)
	whole := span{int(n.Raw.Offset), int(n.Raw.Offset + n.Raw.Length)}
	value := span{d.skipBlank(parts[len(parts)-1].end), whole.end}
	value.start = d.skipBlank(value.start + 1) // the equals sign
	p := pair{key: key, parts: parts, whole: whole, value: value, line: d.lines(whole)}
	if v := n.Value(); v.Kind == unstable.InlineTable {
		p.table = true
		for it := v.Children(); it.Next(); {
			if child := it.Node(); child.Kind == unstable.KeyValue {
				p.inner = append(p.inner, d.pair(child))
			}
		}
	}
	return p
}

func keyOf(n *unstable.Node) (key []string, parts []span) {
	for it := n.Key(); it.Next(); {
		part := it.Node()
		key = append(key, string(part.Data))
		parts = append(parts, span{int(part.Raw.Offset), int(part.Raw.Offset + part.Raw.Length)})
	}
	return key, parts
}

func (d *Document) skipBlank(at int) int {
	for at < len(d.data) && (d.data[at] == ' ' || d.data[at] == '\t') {
		at++
	}
	return at
}

// lines extends s to whole lines, including the line ending.
func (d *Document) lines(s span) span {
	for s.start > 0 && d.data[s.start-1] != '\n' {
		s.start--
	}
	for s.end < len(d.data) && d.data[s.end] != '\n' {
		s.end++
	}
	if s.end < len(d.data) {
		s.end++
	}
	return s
}

// Bytes is the document's text.
func (d *Document) Bytes() []byte { return slices.Clone(d.data) }

// Values is the document as go-toml decodes it: map[string]any, []any, string, int64, float64, bool and the types of dates.
// It must not be changed.
func (d *Document) Values() map[string]any { return d.values }

// Get returns the value at path.
func (d *Document) Get(path ...string) (any, bool) {
	var v any = d.values
	for _, part := range path {
		table, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		if v, ok = table[part]; !ok {
			return nil, false
		}
	}
	return v, true
}

// Position returns the line and column, from 1, of the value at path, of a table's header, or of the first key below it; if
// absent, of the nearest enclosing table.
func (d *Document) Position(path ...string) (line, column int) {
	for ; len(path) > 0; path = path[:len(path)-1] {
		if p, ok := d.find(path); ok {
			return d.lineColumn(p.value.start)
		}
		for _, s := range d.sections[1:] {
			if startsWith(s.path, path) {
				return d.lineColumn(s.parts[len(path)-1].start)
			}
		}
		for _, s := range d.sections {
			for _, p := range s.pairs {
				if startsWith(concat(s.path, p.key), path) && len(s.path) < len(path) {
					return d.lineColumn(p.parts[len(path)-1-len(s.path)].start)
				}
			}
		}
	}
	return 1, 1
}

func (d *Document) lineColumn(at int) (line, column int) {
	line, column = 1, 1
	for _, b := range d.data[:at] {
		column++
		if b == '\n' {
			line, column = line+1, 1
		}
	}
	return line, column
}

// find returns the pair that sets exactly path.
func (d *Document) find(path []string) (found pair, ok bool) {
	for _, s := range d.sections {
		if s.array || !startsWith(path, s.path) {
			continue
		}
		if p, ok := findIn(s.pairs, path[len(s.path):]); ok {
			return p, true
		}
	}
	return pair{}, false
}

func findIn(pairs []pair, path []string) (found pair, ok bool) {
	for _, p := range pairs {
		switch {
		case slices.Equal(p.key, path):
			return p, true
		case p.table && startsWith(path, p.key):
			return findIn(p.inner, path[len(p.key):])
		}
	}
	return pair{}, false
}

func startsWith(path, prefix []string) bool {
	return len(path) >= len(prefix) && slices.Equal(path[:len(prefix)], prefix)
}

func concat(a, b []string) []string { return slices.Concat(a, b) }
