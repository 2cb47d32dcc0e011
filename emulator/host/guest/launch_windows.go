package guest

import (
	"errors"
	"os"
)

// Launcher starts VMs, which this system cannot.
type Launcher struct{}

// NewLauncher returns a launcher.
func NewLauncher() *Launcher { return &Launcher{} }

// Close ends the launcher.
func (l *Launcher) Close() {}

func (l *Launcher) start(Options, *os.File) (*os.Process, error) {
	return nil, errors.New("emulated VMs need Linux, or processes as on Unix")
}
