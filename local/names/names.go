// Package names caches the names of things in Azure for completion, so that no request is needed. All of it may be deleted
// at any time.
package names

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/internal/atomicfile"
)

// Name is the name of one thing.
type Name struct {
	Name    string `json:"name"`
	About   string `json:"about,omitempty"` // a short description that distinguishes it
	Group   string `json:"group,omitempty"`
	Foreign bool   `json:"foreign,omitempty"` // azlin does not manage it
}

// Cache is the names in one place, such as a subscription.
type Cache struct {
	Dir   string
	Scope string    // the place
	Since time.Time // older entries are of another place; zero: none are
}

const (
	believed  = 24 * time.Hour
	retryWait = time.Minute // after a failed request, so that the next key press does not wait again
)

type file struct {
	Names []Name    `json:"names"`
	Kept  time.Time `json:"kept"`
	At    time.Time `json:"at"`    // when they were read; zero: something may have changed since
	Tried time.Time `json:"tried"` // when a request for them last failed
}

// Read returns the names of a kind, and whether they are still fresh.
func (c Cache) Read(kind string) (all []Name, fresh bool) {
	f, ok := c.read(kind)
	if !ok {
		return nil, false
	}
	now := time.Now()
	seen := within(f.At, now, believed) && f.At.After(c.doubted())
	return f.Names, seen || within(f.Tried, now, retryWait)
}

func within(t, now time.Time, limit time.Duration) bool {
	age := now.Sub(t)
	return age >= 0 && age < limit
}

// Keep stores the names of a kind. sure is false while a change is in progress.
func (c Cache) Keep(kind string, all []Name, sure bool) {
	now := time.Now().UTC()
	have, ok := c.read(kind)
	if ok && slices.Equal(have.Names, all) && sure && within(have.At, now, time.Hour) && have.At.After(c.doubted()) {
		return // not worth a write for every list
	}
	f := file{Names: all, Kept: now}
	if sure {
		f.At = now
	}
	c.write(kind, f)
}

// Tried records that a request for the names of a kind failed.
func (c Cache) Tried(kind string) {
	f, _ := c.read(kind)
	f.Tried, f.Kept = time.Now().UTC(), time.Now().UTC()
	c.write(kind, f)
}

// Doubt marks all names as outdated, before a change.
func (c Cache) Doubt() {
	if c.Dir == "" || os.MkdirAll(c.Dir, 0o700) != nil {
		return
	}
	_ = atomicfile.Write(c.path("doubt"), []byte(time.Now().UTC().Format(time.RFC3339Nano)), 0o600) // only a cache
}

func (c Cache) doubted() time.Time {
	data, err := os.ReadFile(c.path("doubt"))
	if err != nil {
		return time.Time{}
	}
	at, _ := time.Parse(time.RFC3339Nano, string(data)) // damaged: never
	return at
}

// read returns nothing for a file that is absent, damaged, or of another place.
func (c Cache) read(kind string) (file, bool) {
	var f file
	if c.Dir == "" {
		return f, false
	}
	data, err := os.ReadFile(c.path(kind))
	if err != nil || atomicfile.VerifySealed(data) != nil || json.Unmarshal(data, &f) != nil || f.Kept.Before(c.Since) {
		return file{}, false
	}
	return f, true
}

// write is best effort: without the file, the next completion sends the request again.
func (c Cache) write(kind string, f file) {
	if c.Dir == "" || os.MkdirAll(c.Dir, 0o700) != nil {
		return
	}
	data, err := json.Marshal(f)
	if err == nil {
		data, err = atomicfile.Seal(data)
	}
	if err == nil {
		_ = atomicfile.Write(c.path(kind), data, 0o600)
	}
}

func (c Cache) path(kind string) string {
	return filepath.Join(c.Dir, strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return '_'
	}, "names-"+c.Scope+"-"+kind+".json"))
}
