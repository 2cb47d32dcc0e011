package change

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
)

// Mark is what a tag says of the operation that a resource belongs to: <kind>:<id>:<step>, or
// <kind>:<id>:<step>:<with> where somebody who goes on has to know more.
type Mark struct {
	Kind Kind
	ID   string // of what was made as one: of a clone, a VM's is "clone-<key>-<name>", and a snapshot's "<key>"
	Step string // in which the resource was made, or that it has come to
	// With is what is needed to go on, by name. Nil: nothing, or the tag is of an azlin that did not write it down.
	With map[string]string
}

// The steps that resources of a VM, and snapshots through which disks travel, are marked with.
const (
	StepNetwork  = "network"
	StepVM       = "vm"
	StepDone     = "done"
	StepSnapshot = "snapshot"
)

// String is the tag's text. ParseMark is its reverse.
func (m Mark) String() string {
	text := string(m.Kind) + ":" + m.ID + ":" + m.Step
	if len(m.With) == 0 {
		return text
	}
	with := url.Values{}
	for name, value := range m.With {
		with.Set(name, value)
	}
	return text + ":" + with.Encode()
}

// ParseMark reads a tag. ok is whether it is one of an operation, of this azlin or an earlier one.
func ParseMark(text string) (m Mark, ok bool) {
	parts := strings.SplitN(text, ":", 4)
	if len(parts) < 3 || slices.Contains(parts, "") {
		return Mark{}, false
	}
	m = Mark{Kind: Kind(parts[0]), ID: parts[1], Step: parts[2]}
	if m.Kind == New { // which earlier ones wrote for whatever made a VM
		m.Kind = KindOfVM(m.ID)
	}
	if len(parts) < 4 {
		return m, true
	}
	with, err := url.ParseQuery(parts[3])
	if err != nil || len(with) == 0 {
		return Mark{}, false
	}
	m.With = map[string]string{}
	for name := range with {
		m.With[name] = with.Get(name)
	}
	return m, true
}

// Operation is the id of the operation that everybody sees. A copy's VMs and snapshots have one together.
func (m Mark) Operation() string {
	if m.Kind != Clone && m.Kind != Bake {
		return m.ID
	}
	return CopyID(m.Kind, m.Key())
}

// Key is what the ids of all parts of a copy have in common; empty: it is no copy.
func (m Mark) Key() string {
	if m.Kind != Clone && m.Kind != Bake {
		return ""
	}
	key, _, _ := strings.Cut(strings.TrimPrefix(m.ID, CopyID(m.Kind, "")), "-")
	return key
}

// CopyID is the id of an operation that makes a VM of another one's disks: kind is Clone or Bake, rest the key of the copy and,
// where it makes several VMs, what tells those apart, after a "-".
func CopyID(kind Kind, rest string) string { return string(kind) + "-" + rest }

// KindOfVM is what an operation that makes a VM does, by its id.
func KindOfVM(id string) Kind {
	for _, kind := range []Kind{Clone, Bake} {
		if strings.HasPrefix(id, CopyID(kind, "")) {
			return kind
		}
	}
	return New
}

// KeyOf is ten digits that follow from texts, in any letter case: for names and ids that whoever goes on with something
// finds again.
func KeyOf(texts ...string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.Join(texts, "\n"))))
	return hex.EncodeToString(sum[:5])
}
