// Package state keeps the emulator's resources in a directory: what changed is appended to a journal, which a snapshot of
// everything replaces from time to time.
package state

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/journal"
)

const (
	// settleTime is how long after a change the state is written: changes come in bursts.
	settleTime = 200 * time.Millisecond
	// smallJournal is what is appended at least before the whole state is written anew.
	smallJournal = 4 << 20
	// firstState is the file that the first version of the emulator kept its state in.
	firstState = "state.json"
)

// Saver keeps a server's state in a directory: what changed is appended to a journal, which a snapshot of the whole
// replaces when it has grown larger than that.
type Saver struct {
	log    *slog.Logger
	server *arm.Server
	Notes  []string   // what was wrong with the files
	write  sync.Mutex // one write at a time; holds journal and whole
	state  *journal.Log
	whole  bool // the next write is of everything
	mu     sync.Mutex
	timer  *time.Timer // pending write, or nil
	took   time.Duration
	closed bool
}

// OpenSaver restores the state that a directory holds.
func OpenSaver(dir string, server *arm.Server, log *slog.Logger) (*Saver, error) {
	at := filepath.Join(dir, "state")
	state, found, err := journal.Open(at, arm.RecordVersion)
	switch {
	case errors.Is(err, journal.ErrNewer):
		return nil, fmt.Errorf("open emulator: %w: update this program, or move %s away to begin anew", err, at)
	case err != nil:
		return nil, fmt.Errorf("open emulator: %w; what can still be read is left as it is: move %s away to begin anew", err, at)
	}
	s := &Saver{server: server, log: log, state: state, Notes: found.Notes}
	for _, note := range s.Notes {
		log.Warn("a damaged state file was made up for by its copies", "file", note)
	}
	if found.Fresh {
		err = s.loadFirst(filepath.Join(dir, firstState))
	} else if err = server.Load(found.Records); err != nil {
		err = fmt.Errorf("open emulator: %s: %w", at, err)
	}
	if err != nil {
		return nil, errors.Join(err, state.Close())
	}
	server.Track()
	// Each run has a snapshot and a journal of its own: what was damaged is replaced before it is needed.
	s.whole = true
	if err := s.save(false); err != nil {
		return nil, errors.Join(fmt.Errorf("open emulator: %w", err), state.Close())
	}
	return s, nil
}

// loadFirst reads the state of the first version, where there is one.
func (s *Saver) loadFirst(file string) error {
	data, err := journal.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = s.server.LoadFirst(data)
	}
	if err != nil {
		return fmt.Errorf("open emulator: %s: %w; move it away to begin anew", file, err)
	}
	s.Notes = append(s.Notes, fmt.Sprintf("%s was read and is not written any more: the state is in %s now", file, filepath.Join(filepath.Dir(file), "state")))
	return nil
}

// Touch says that something changed.
func (s *Saver) Touch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil || s.closed {
		return
	}
	// A large change is written less often, so that writing never takes most of the time.
	s.timer = time.AfterFunc(settleTime+min(10*s.took, 5*time.Second), func() {
		s.mu.Lock()
		s.timer = nil
		closed := s.closed
		s.mu.Unlock()
		if closed {
			return
		}
		if err := s.save(false); err != nil {
			s.log.Error("save state", "err", err)
			s.Touch() // the disk may have room again
		}
	})
}

// Flush appends what changed to the journal, before a request is answered: what was acknowledged outlives the process.
// Syncing the disk and writing snapshots stay with the timer.
func (s *Saver) Flush() {
	s.mu.Lock()
	changed := s.timer != nil && !s.closed
	s.mu.Unlock()
	if !changed {
		return
	}
	s.write.Lock()
	defer s.write.Unlock()
	if _, err := s.append(false); err != nil {
		s.whole = true // as in save
		s.log.Error("save state", "err", err)
	}
}

// save writes what changed. With look it looks at everything for that.
func (s *Saver) save(look bool) error {
	s.write.Lock()
	defer s.write.Unlock()
	start := time.Now()
	err := s.put(look)
	s.mu.Lock()
	s.took = time.Since(start)
	s.mu.Unlock()
	if err != nil {
		s.whole = true // what was to be appended is known to be saved no more
		return fmt.Errorf("save state: %w", err)
	}
	return nil
}

func (s *Saver) put(look bool) error {
	enough, err := s.append(look)
	if err != nil {
		return err
	}
	if enough {
		if snapshot, appended := s.state.Sizes(); appended < max(smallJournal, snapshot) {
			return s.state.Sync()
		}
	}
	if err := s.state.Snapshot(slices.Values(s.server.Everything())); err != nil {
		return err
	}
	s.whole = false
	return nil
}

// append appends what changed. It reports whether that is enough, without a snapshot of everything.
func (s *Saver) append(look bool) (enough bool, err error) {
	if s.whole {
		return false, nil
	}
	records, missed, whole := s.server.Changes(look)
	if missed > 0 {
		s.log.Warn("changes that nobody told of", "records", missed)
	}
	if whole {
		s.whole = true
		return false, nil
	}
	return true, s.state.Append(records)
}

// Close saves once more, and closes the state.
func (s *Saver) Close() error {
	s.mu.Lock()
	s.closed = true
	if s.timer != nil {
		s.timer.Stop()
	}
	s.mu.Unlock()
	return errors.Join(s.save(true), s.state.Close())
}
