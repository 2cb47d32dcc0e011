package arm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
)

// RecordVersion is the version of the records that Changes and Everything give.
const RecordVersion = 2

// record is one change of a server's state in a file: of whichever member is set.
type record struct {
	Resource  *Resource     `json:"resource,omitempty"`
	Gone      string        `json:"gone,omitempty"` // key of a resource that is no more
	Operation *Operation    `json:"operation,omitempty"`
	Over      string        `json:"over,omitempty"` // id of an operation that is no more
	Note      string        `json:"note,omitempty"` // its key
	Text      azjson.Object `json:"text,omitempty"` // the note itself
	Server    *general      `json:"server,omitempty"`
}

// general is what there is one of.
type general struct {
	Offset       time.Duration   `json:"clock_offset,omitempty"`
	Unregistered map[string]bool `json:"unregistered,omitempty"`
}

// track knows what may have changed since it was last saved. Whoever changes a resource has found it: what is looked up
// while something is being changed is compared with what was saved.
type track struct {
	on      bool // somebody saves
	reading bool // what is being handled changes nothing
	all     bool // too much changed to tell
	seed    maphash.Seed
	suspect map[string]bool   // prefix and key
	saved   map[string]uint64 // hash of the record by prefix and key
}

const (
	trackResource  = "r"
	trackOperation = "o"
	trackNote      = "n"
	trackServer    = "s"
)

// seen says that something was looked up, and may be changed by who did.
func (t *track) seen(prefix, key string) {
	if !t.reading {
		t.mark(prefix, key)
	}
}

// mark says that something was changed.
func (t *track) mark(prefix, key string) {
	if t.on {
		t.suspect[prefix+key] = true
	}
}

// Track makes the server take notice of changes, for Changes. It begins with everything saved that there is.
func (s *Server) Track() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.track = track{on: true, seed: maphash.MakeSeed(), suspect: map[string]bool{}, saved: map[string]uint64{}}
	s.each(func(id string, data []byte) { s.track.saved[id] = maphash.Bytes(s.track.seed, data) })
}

// each calls f with each record of the whole state. The state can always be written as JSON: it was read so.
func (s *Server) each(f func(id string, data []byte)) {
	one := func(id string) {
		if data, ok := s.current(id); ok {
			f(id, data)
		}
	}
	one(trackServer)
	for _, id := range s.ids() {
		one(id)
	}
}

// ids are the prefixes and keys of all there is, in their order.
func (s *Server) ids() []string {
	l := make([]string, 0, len(s.store.byID)+len(s.ops)+len(s.notes))
	for key := range s.store.byID {
		l = append(l, trackResource+key)
	}
	for id := range s.ops {
		l = append(l, trackOperation+id)
	}
	for key := range s.notes {
		l = append(l, trackNote+key)
	}
	slices.Sort(l)
	return l
}

// current is the record of what a prefix and key stand for; ok is false when there is no such thing.
func (s *Server) current(id string) (data []byte, ok bool) {
	var r record
	switch prefix, key := id[:1], id[1:]; prefix {
	case trackResource:
		r.Resource = s.store.byID[key]
		ok = r.Resource != nil
	case trackOperation:
		r.Operation = s.ops[key]
		ok = r.Operation != nil
	case trackNote:
		r.Note, r.Text = key, s.notes[key]
		ok = r.Text != nil
	case trackServer:
		r.Server, ok = &general{s.offset, s.reg}, true
	}
	if !ok {
		return nil, false
	}
	data, err := json.Marshal(r)
	return data, err == nil
}

// absent is the record that something is no more.
func absent(id string) []byte {
	var r record
	switch prefix, key := id[:1], id[1:]; prefix {
	case trackResource:
		r.Gone = key
	case trackOperation:
		r.Over = key
	case trackNote:
		r.Note = key
	}
	data, err := json.Marshal(r)
	if err != nil {
		return []byte("{}")
	}
	return data
}

// Changes returns what changed since the last call of it or Everything. whole is true when that is too much to tell, and
// Everything is to be saved. With look it also looks at what nobody touched, and missed counts what had changed there.
func (s *Server) Changes(look bool) (records [][]byte, missed int, whole bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.track.all {
		return nil, 0, true
	}
	known := s.track.suspect
	known[trackServer] = true
	s.track.suspect = map[string]bool{}
	ids := make([]string, 0, len(known))
	for id := range known {
		ids = append(ids, id)
	}
	if look {
		for _, id := range s.ids() {
			if !known[id] {
				ids = append(ids, id)
			}
		}
		for id := range s.track.saved {
			if data, ok := s.current(id); !known[id] && (!ok || data == nil) {
				ids = append(ids, id)
			}
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		data, ok := s.current(id)
		was, saved := s.track.saved[id]
		switch {
		case ok:
			h := maphash.Bytes(s.track.seed, data)
			if saved && h == was {
				continue
			}
			s.track.saved[id] = h
		case saved:
			delete(s.track.saved, id)
			data = absent(id)
		default:
			continue
		}
		if !known[id] {
			missed++
		}
		records = append(records, data)
	}
	return records, missed, false
}

// Everything returns the whole state.
func (s *Server) Everything() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.track.all, s.track.suspect, s.track.saved = false, map[string]bool{}, map[string]uint64{}
	var records [][]byte
	s.each(func(id string, data []byte) {
		records = append(records, data)
		s.track.saved[id] = maphash.Bytes(s.track.seed, data)
	})
	return records
}

// Load puts the state that records tell, one after the other, in the place of the present one. Operations that were
// under way go on.
func (s *Server) Load(records [][]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store, s.ops, s.open, s.notes = newStore(), map[string]*Operation{}, map[string]*Operation{}, map[string]azjson.Object{}
	for n, data := range records {
		var r record
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		if err := d.Decode(&r); err != nil {
			return fmt.Errorf("read state: record %d: %w", n+1, err)
		}
		s.apply(&r)
	}
	s.nudge()
	return nil
}

func (s *Server) apply(r *record) {
	switch {
	case r.Resource != nil:
		s.restore(r.Resource)
	case r.Gone != "":
		if old := s.store.byID[r.Gone]; old != nil {
			s.Forget(old)
		}
	case r.Operation != nil:
		s.resume(r.Operation)
	case r.Over != "":
		delete(s.ops, r.Over)
		delete(s.open, r.Over)
	case r.Note != "" && r.Text != nil:
		s.notes[r.Note] = r.Text
	case r.Note != "":
		delete(s.notes, r.Note)
	case r.Server != nil:
		s.offset = r.Server.Offset
		s.reg = r.Server.Unregistered
		if s.reg == nil {
			s.reg = map[string]bool{}
		}
	}
}

// restore puts back a resource that was saved.
func (s *Server) restore(r *Resource) {
	if r.Hidden == nil {
		r.Hidden = azjson.Object{}
	}
	if r.Body == nil {
		r.Body = azjson.Object{}
	}
	if old := s.store.byID[resourceid.Key(r.ID)]; old != nil && !strings.EqualFold(old.Type, r.Type) {
		s.Forget(old)
	}
	s.insert(r)
}

// resume puts back an operation that was saved.
func (s *Server) resume(op *Operation) {
	if op.Args == nil {
		op.Args = azjson.Object{}
	}
	s.ops[op.ID] = op
	delete(s.open, op.ID)
	if !op.Done() {
		s.open[op.ID] = op
	}
}
