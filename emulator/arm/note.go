package arm

import (
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
)

// Note returns what was noted under a key, or nil. Notes are saved with the resources, and outlive them.
func (s *Server) Note(key string) azjson.Object { return s.notes[key] }

// PutNote notes something under a key. Callers hold the lock.
func (s *Server) PutNote(key string, o azjson.Object) {
	s.notes[key] = o
	s.track.mark(trackNote, key)
	s.touched()
}

// Notes returns the keys under which something is noted that begin so, in their order.
func (s *Server) Notes(prefix string) []string {
	var l []string
	for key := range s.notes {
		if strings.HasPrefix(key, prefix) {
			l = append(l, key)
		}
	}
	slices.Sort(l)
	return l
}
