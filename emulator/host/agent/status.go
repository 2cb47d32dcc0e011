//go:build unix

package agent

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/azlin-dev/azlin/emulator/host/agent/userland"
)

// status is the progress of cloud-init's boot stages, as /run/cloud-init shows it.
type status struct {
	mu     sync.Mutex
	begun  time.Time
	errors []string
	warned []string
}

func newStatus() *status { return &status{begun: time.Now(), errors: []string{}} }

// warn records what cloud-init recovered from.
func (s *status) warn(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.warned = append(s.warned, text)
}

// recoverable is how status.json lists warnings.
func (s *status) recoverable() map[string][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.warned) == 0 {
		return map[string][]string{}
	}
	return map[string][]string{"WARNING": slices.Clone(s.warned)}
}

// fail records an error; the stages go on, as cloud-init's do.
func (s *status) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errors = append(s.errors, err.Error())
}

func (s *status) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.errors)
}

// writeStatus writes status.json; done says that the last stage is over.
func (m *machine) writeStatus(done bool) error {
	begun, now := seconds(m.status.begun), seconds(time.Now())
	over := func() userland.Stage {
		return userland.Stage{Errors: []string{}, Warnings: map[string][]string{}, Start: &begun, Finished: &now}
	}
	var f userland.StatusFile
	f.V1.DataSource = userland.DataSource
	f.V1.InitLocal, f.V1.Init, f.V1.Config = over(), over(), over()
	f.V1.Final = userland.Stage{Errors: m.status.all(), Warnings: m.status.recoverable(), Start: &now}
	if done {
		f.V1.Final.Start, f.V1.Final.Finished = &begun, &now
	} else {
		name := "modules-final"
		f.V1.Stage = &name
	}
	return m.writeJSON("run/cloud-init/status.json", f)
}

// writeResult writes what exists only once cloud-init has finished.
func (m *machine) writeResult() error {
	var f userland.ResultFile
	f.V1.DataSource, f.V1.Errors = userland.DataSource, m.status.all()
	return errors.Join(
		m.writeStatus(true),
		m.writeJSON("run/cloud-init/result.json", f),
		m.write(filepath.Join(m.instance, "boot-finished"), fmt.Sprintf("1.00 - %s - v. %s\n", userland.UTCNow(), userland.CloudInitVersion), 0o644),
	)
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
