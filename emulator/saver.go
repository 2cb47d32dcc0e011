package emulator

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm"
)

// settleTime is how long after a change the state is written: changes come in bursts.
const settleTime = 200 * time.Millisecond

// saver keeps a server's state in a file.
type saver struct {
	file   string
	server *arm.Server
	log    *slog.Logger
	mu     sync.Mutex
	timer  *time.Timer // pending write, or nil
	took   time.Duration
	closed bool
	write  sync.Mutex // one write at a time
}

// openSaver restores the state that a directory holds.
func openSaver(dir string, server *arm.Server, log *slog.Logger) (*saver, error) {
	s := &saver{file: filepath.Join(dir, "state.json"), server: server, log: log}
	data, err := os.ReadFile(s.file)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = server.Load(data)
	}
	if err != nil {
		return nil, fmt.Errorf("open emulator: %s: %w", s.file, err)
	}
	return s, nil
}

// touch says that something changed.
func (s *saver) touch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil || s.closed {
		return
	}
	// A large state is written less often, so that writing never takes most of the time.
	s.timer = time.AfterFunc(settleTime+10*s.took, func() {
		s.mu.Lock()
		s.timer = nil
		closed := s.closed
		s.mu.Unlock()
		if closed {
			return
		}
		if err := s.save(); err != nil {
			s.log.Error("save state", "err", err)
		}
	})
}

func (s *saver) save() error {
	s.write.Lock()
	defer s.write.Unlock()
	start := time.Now()
	data, err := s.server.Save()
	if err == nil {
		err = writeFile(s.file, data)
	}
	s.mu.Lock()
	s.took = time.Since(start)
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("save state: %w", err)
	}
	return nil
}

func (s *saver) close() error {
	s.mu.Lock()
	s.closed = true
	if s.timer != nil {
		s.timer.Stop()
	}
	s.mu.Unlock()
	return s.save()
}
