package arm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"time"
)

// stateVersion is the version of the saved form.
const stateVersion = 1

// saved is a server's state in a file.
type saved struct {
	Version      int             `json:"version"`
	Offset       time.Duration   `json:"clock_offset,omitempty"`
	Resources    []*Resource     `json:"resources"`
	Operations   []*Operation    `json:"operations"`
	Unregistered map[string]bool `json:"unregistered,omitempty"`
}

// Save returns the server's state as JSON.
func (s *Server) Save() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := saved{Version: stateVersion, Offset: s.offset, Unregistered: maps.Clone(s.reg)}
	for _, r := range s.store.byID {
		st.Resources = append(st.Resources, r)
	}
	byKey(st.Resources)
	for _, op := range s.ops {
		st.Operations = append(st.Operations, op)
	}
	return json.Marshal(st)
}

// Load puts a saved state in the place of the present one. Operations that were under way go on.
func (s *Server) Load(data []byte) error {
	var st saved
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&st); err != nil {
		return fmt.Errorf("read state: %w", err)
	}
	if st.Version != stateVersion {
		return fmt.Errorf("read state: version %d is not %d", st.Version, stateVersion)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store, s.ops, s.offset = newStore(), map[string]*Operation{}, st.Offset
	for _, r := range st.Resources {
		if r.Hidden == nil {
			r.Hidden = Object{}
		}
		s.insert(r)
	}
	for _, op := range st.Operations {
		if op.Args == nil {
			op.Args = Object{}
		}
		s.ops[op.ID] = op
	}
	if st.Unregistered != nil {
		s.reg = st.Unregistered
	}
	s.nudge()
	return nil
}

// Clear removes all resources and operations.
func (s *Server) Clear() {
	s.Do(func() {
		s.store, s.ops, s.ready = newStore(), map[string]*Operation{}, nil
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
