package tomledit

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Unset returns the document without the value or table at path; without it, the same document. A comment on the value's
// line is removed too; comments on their own lines are kept, except within a removed table.
func (d *Document) Unset(path ...string) (*Document, error) {
	if len(path) == 0 {
		return nil, errors.New("an edit needs a key")
	}
	if _, ok := d.Get(path...); !ok {
		return d, nil
	}
	var changes []splice
	for n, s := range d.sections {
		if len(s.path) > 0 && startsWith(s.path, path) {
			changes = append(changes, splice{at: d.block(s)})
			continue
		}
		if !s.array && startsWith(path, s.path) {
			changes = append(changes, d.removals(s.pairs, path[len(s.path):], false)...)
		}
		if n == 0 && len(s.pairs) > 0 && !slices.ContainsFunc(s.pairs, func(p pair) bool { return !startsWith(p.key, path) }) {
			changes[len(changes)-1].at.end = d.afterGap(s.pairs)
		}
	}
	return d.apply(without(d.values, path), changes...)
}

// block is a section from its header to its last pair, including the empty line before it.
func (d *Document) block(s section) span {
	at := s.line
	if len(s.pairs) > 0 {
		at.end = s.pairs[len(s.pairs)-1].line.end
	}
	if d.blankBefore(at.start) && (at.end == len(d.data) || len(bytes.TrimSpace(d.data[at.end:d.lines(span{at.end, at.end}).end])) == 0) {
		at.start = d.lines(span{at.start - 1, at.start - 1}).start
	}
	return at
}

// removals are the changes that remove path, and what is below it, from pairs.
func (d *Document) removals(pairs []pair, path []string, inline bool) []splice {
	var changes []splice
	var gone []int
	for i, p := range pairs {
		switch {
		case startsWith(p.key, path):
			gone = append(gone, i)
		case p.table && startsWith(path, p.key):
			changes = append(changes, d.removals(p.inner, path[len(p.key):], true)...)
		}
	}
	if !inline {
		for _, i := range gone {
			changes = append(changes, splice{at: pairs[i].line})
		}
		return changes
	}
	// In an inline table each pair is removed with the comma after it, and the last ones with the comma before.
	for _, i := range gone {
		at := pairs[i].whole
		switch last := lastKept(len(pairs), gone); {
		case i < last:
			at.end = pairs[i+1].whole.start
		case i > 0:
			at.start = pairs[i-1].whole.end
		}
		changes = append(changes, splice{at: at})
	}
	if len(gone) == len(pairs) && len(pairs) > 0 { // a trailing comma is removed too
		return []splice{{at: span{pairs[0].whole.start, d.afterComma(pairs[len(pairs)-1].whole.end)}}}
	}
	return changes
}

// afterGap is the end of the pairs, or of the empty line that firstLine adds below the only pairs before a header.
func (d *Document) afterGap(pairs []pair) int {
	start, end := pairs[0].line.start, pairs[len(pairs)-1].line.end
	if below := d.lines(span{end, end}).end; (start == 0 || d.blankBefore(start)) && len(bytes.TrimSpace(d.data[end:below])) == 0 {
		return below
	}
	return end
}

// lastKept is the index of the last of n pairs that is kept.
func lastKept(n int, gone []int) int {
	for n--; n >= 0 && slices.Contains(gone, n); n-- {
	}
	return n
}

// afterComma skips a comma on the same line.
func (d *Document) afterComma(at int) int {
	if next := d.skipBlank(at); next < len(d.data) && d.data[next] == ',' {
		return next + 1
	}
	return at
}

// Rename returns the document with the last part of path renamed to name, in every header and dotted key. An absent path,
// and a name in use, are errors.
func (d *Document) Rename(name string, path ...string) (*Document, error) {
	old, ok := d.Get(path...)
	if !ok || len(path) == 0 {
		return nil, fmt.Errorf("%w: there is no %s", ErrShape, strings.Join(path, "."))
	}
	last := len(path) - 1
	renamed := concat(path[:last], []string{name})
	if _, taken := d.Get(renamed...); taken {
		return nil, fmt.Errorf("%w: %s exists", ErrShape, strings.Join(renamed, "."))
	}
	text, err := encodeKey(name)
	if err != nil {
		return nil, err
	}
	var changes []splice
	for _, s := range d.sections {
		if startsWith(s.path, path) {
			changes = append(changes, splice{s.parts[last], text})
		} else if !s.array && startsWith(path, s.path) {
			changes = append(changes, renames(s.pairs, path[len(s.path):], text)...)
		}
	}
	return d.apply(with(without(d.values, path), renamed, old), changes...)
}

func renames(pairs []pair, path []string, text string) []splice {
	var changes []splice
	for _, p := range pairs {
		switch {
		case startsWith(p.key, path):
			changes = append(changes, splice{p.parts[len(path)-1], text})
		case p.table && startsWith(path, p.key):
			changes = append(changes, renames(p.inner, path[len(p.key):], text)...)
		}
	}
	return changes
}
