package tomledit

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrShape is returned when a key is a table where a value is to be set, or the reverse.
var ErrShape = errors.New("the document has another shape")

// errDefeated guards against edits with an unintended result. No such case is known.
var errDefeated = errors.New("this document cannot be edited by a program; change it by hand")

// splice replaces a range of bytes by text.
type splice struct {
	at   span
	text string
}

// Set returns the document with value (a string, bool, int64 or []string) at path. An existing value is replaced in place; a
// new one is added below its siblings, in a new table if needed.
func (d *Document) Set(value any, path ...string) (*Document, error) {
	if len(path) == 0 {
		return nil, errors.New("an edit needs a key")
	}
	text, decoded, err := encode(value)
	if err != nil {
		return nil, err
	}
	change, err := d.placing(path, text)
	if err != nil {
		return nil, err
	}
	return d.apply(with(d.values, path, decoded), change)
}

// placing finds the place for a value.
func (d *Document) placing(path []string, text string) (splice, error) {
	if p, ok := d.find(path); ok {
		if p.table {
			return splice{}, fmt.Errorf("%w: %s is a table", ErrShape, strings.Join(path, "."))
		}
		return splice{p.value, text}, nil
	}
	if _, ok := d.Get(path...); ok { // made by headers or dotted keys
		return splice{}, fmt.Errorf("%w: %s is a table", ErrShape, strings.Join(path, "."))
	}
	for n := 1; n < len(path); n++ {
		if v, ok := d.Get(path[:n]...); ok {
			if _, table := v.(map[string]any); !table {
				return splice{}, fmt.Errorf("%w: %s is not a table", ErrShape, strings.Join(path[:n], "."))
			}
		}
	}
	if at, ok, err := d.placeInline(path, text); ok || err != nil {
		return at, err
	}
	return d.placeLine(path, text)
}

// placeInline adds a pair to the enclosing inline table, if there is one.
func (d *Document) placeInline(path []string, text string) (splice, bool, error) {
	for n := len(path) - 1; n > 0; n-- {
		p, ok := d.find(path[:n])
		if !ok {
			continue
		}
		key, err := encodePath(path[n:])
		if err != nil {
			return splice{}, false, err
		}
		if len(p.inner) == 0 {
			after := p.value.start + 1
			return splice{span{after, after}, " " + key + " = " + text + " "}, true, nil
		}
		after := p.inner[len(p.inner)-1].whole.end
		return splice{span{after, after}, ", " + key + " = " + text}, true, nil
	}
	return splice{}, false, nil
}

// placeLine adds a pair on its own line: below the last one of its table, which may have a header or dotted keys, else below
// a new header at the end.
func (d *Document) placeLine(path []string, text string) (splice, error) {
	parent := len(path) - 1
	for n := parent; n >= min(parent, 1); n-- {
		table := path[:n]
		for _, s := range d.sections {
			if s.array || !startsWith(table, s.path) || len(s.path) == n && n < parent {
				continue
			}
			// A table made by dotted keys must not get a header, nor may its sub-tables.
			after, indent, found := d.below(s, table)
			if !found && len(s.path) < n {
				continue
			}
			key, err := encodePath(path[len(s.path):])
			if err != nil {
				return splice{}, err
			}
			if !found && n == 0 {
				return d.firstLine(key + " = " + text), nil
			}
			return d.insertLine(after, indent+key+" = "+text), nil
		}
	}
	header, err := encodePath(path[:len(path)-1])
	if err != nil {
		return splice{}, err
	}
	key, err := encodeKey(path[len(path)-1])
	if err != nil {
		return splice{}, err
	}
	gap := ""
	if len(bytes.TrimSpace(d.data)) > 0 && !d.blankBefore(len(d.data)) {
		gap = d.newline()
	}
	return d.insertLine(len(d.data), gap+"["+header+"]"+d.newline()+key+" = "+text), nil
}

// below finds the end of the last line of s that concerns table, by its own or dotted keys, and that line's indentation.
// Without one it is the end of the header.
func (d *Document) below(s section, table []string) (after int, indent string, found bool) {
	after = s.line.end
	for _, p := range s.pairs {
		full := concat(s.path, p.key)
		if len(full) > len(table) && startsWith(full, table) {
			after, indent, found = p.line.end, string(d.data[p.line.start:p.whole.start]), true
		}
	}
	return after, indent, found
}

// firstLine inserts a line before the first header and its comments.
func (d *Document) firstLine(line string) splice {
	if len(d.sections) == 1 {
		return d.insertLine(len(d.data), line)
	}
	at := d.sections[1].line.start
	for at > 0 {
		above := d.lines(span{at - 1, at - 1})
		if !bytes.HasPrefix(bytes.TrimSpace(d.data[above.start:at]), []byte("#")) {
			break
		}
		at = above.start
	}
	return splice{span{at, at}, line + d.newline() + d.newline()}
}

// insertLine inserts a line at the beginning of a line, or at the end of the document.
func (d *Document) insertLine(at int, line string) splice {
	nl := d.newline()
	if at > 0 && d.data[at-1] != '\n' { // the last line has no line ending
		return splice{span{at, at}, nl + line + nl}
	}
	return splice{span{at, at}, line + nl}
}

// newline is the document's line ending.
func (d *Document) newline() string {
	if i := bytes.IndexByte(d.data, '\n'); i > 0 && d.data[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// blankBefore reports whether the line that ends at at is empty.
func (d *Document) blankBefore(at int) bool {
	if at == 0 || d.data[at-1] != '\n' {
		return false
	}
	above := d.lines(span{at - 1, at - 1})
	return len(bytes.TrimSpace(d.data[above.start:at])) == 0
}

// apply makes the changes and compares the result with the expected values.
func (d *Document) apply(want map[string]any, changes ...splice) (*Document, error) {
	slices.SortFunc(changes, func(a, b splice) int { return cmp.Compare(a.at.start, b.at.start) })
	var out []byte
	end := 0
	for _, c := range changes {
		if c.at.start < end {
			continue // already removed
		}
		out = append(append(out, d.data[end:c.at.start]...), c.text...)
		end = c.at.end
	}
	out = append(out, d.data[end:]...)
	changed, err := Parse(out)
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", errDefeated, err)
	}
	if !same(changed.values, want) {
		return nil, errDefeated
	}
	return changed, nil
}
