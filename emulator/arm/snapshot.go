package arm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
)

// saved is a server's state in one piece, as the first version of the emulator kept it.
type saved struct {
	Version      int             `json:"version"`
	Offset       time.Duration   `json:"clock_offset,omitempty"`
	Resources    []*Resource     `json:"resources"`
	Operations   []*Operation    `json:"operations"`
	Unregistered map[string]bool `json:"unregistered,omitempty"`
}

// LoadFirst puts a state in the place of the present one that the first version of the emulator saved.
func (s *Server) LoadFirst(data []byte) error {
	var st saved
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&st); err != nil {
		return fmt.Errorf("read state: %w", err)
	}
	if st.Version != 1 {
		return fmt.Errorf("read state: version %d is not 1", st.Version)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store, s.ops, s.open, s.offset = newStore(), map[string]*Operation{}, map[string]*Operation{}, st.Offset
	for _, r := range st.Resources {
		s.restore(r)
	}
	for _, op := range st.Operations {
		s.resume(op)
	}
	if st.Unregistered != nil {
		s.reg = st.Unregistered
	}
	s.notes = map[string]azjson.Object{}
	s.nudge()
	return nil
}

// Clear removes all resources, operations and notes. Time is the present again, and no rate limit is used up.
func (s *Server) Clear() {
	s.Do(func() {
		s.store, s.ops, s.open, s.ready = newStore(), map[string]*Operation{}, map[string]*Operation{}, nil
		s.notes, s.hidden, s.offset, s.limits = map[string]azjson.Object{}, map[string]time.Time{}, 0, newLimits(s.opt)
		s.track.all = true
		s.touched()
	})
}

// Resources counts the stored resources by type.
func (s *Server) Resources() map[string]int {
	m := map[string]int{}
	s.Do(func() {
		for _, r := range s.store.byID {
			m[r.Type]++
		}
	})
	return m
}
