package change

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
)

// Mark is a tag's record of the operation that a resource belongs to: <kind>:<id>:<step>, or <kind>:<id>:<step>:<with> if
// resuming needs more data.
type Mark struct {
	Kind Kind
	ID   string // of one resource's part: for a clone, a VM has "clone-<key>-<name>", a snapshot "<key>"
	Step string // in which the resource was created, or that it has reached
	// With is the data needed to resume, by name. Nil: none, or an older azlin wrote the tag.
	With map[string]string
}

// The steps in the marks of a VM's resources and of temporary snapshots.
const (
	StepNetwork  = "network"
	StepVM       = "vm"
	StepDone     = "done"
	StepSnapshot = "snapshot"
)

// String is the tag's value, the reverse of ParseMark.
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

// ParseMark parses a tag's value. ok reports whether it marks an operation, of this or an older azlin.
func ParseMark(text string) (m Mark, ok bool) {
	parts := strings.SplitN(text, ":", 4)
	if len(parts) < 3 || slices.Contains(parts, "") {
		return Mark{}, false
	}
	m = Mark{Kind: Kind(parts[0]), ID: parts[1], Step: parts[2]}
	if m.Kind == New { // older versions wrote it for everything that created a VM
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

// Operation is the id of the operation as users see it. All VMs and snapshots of a copy have the same.
func (m Mark) Operation() string {
	if m.Kind != Clone && m.Kind != Bake {
		return m.ID
	}
	return CopyID(m.Kind, m.Key())
}

// Key is the common part of the ids of a copy; empty: not a copy.
func (m Mark) Key() string {
	if m.Kind != Clone && m.Kind != Bake {
		return ""
	}
	key, _, _ := strings.Cut(strings.TrimPrefix(m.ID, CopyID(m.Kind, "")), "-")
	return key
}

// CopyID is the id of an operation that creates a VM from another one's disks. kind is Clone or Bake; rest is the key of the
// copy and, if it creates several VMs, a "-" and a suffix for each.
func CopyID(kind Kind, rest string) string { return string(kind) + "-" + rest }

// KindOfVM is the kind of an operation that creates a VM, by its id.
func KindOfVM(id string) Kind {
	for _, kind := range []Kind{Clone, Bake} {
		if strings.HasPrefix(id, CopyID(kind, "")) {
			return kind
		}
	}
	return New
}

// KeyOf is a ten-digit hash of texts, ignoring case, for names and ids that must be the same when an operation resumes.
func KeyOf(texts ...string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.Join(texts, "\n"))))
	return hex.EncodeToString(sum[:5])
}
