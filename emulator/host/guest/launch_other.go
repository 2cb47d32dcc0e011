//go:build unix && !linux

package guest

import (
	"errors"
	"os"
	"syscall"

	"github.com/azlin-dev/azlin/emulator/host/agent"
)

// Launcher starts VMs.
type Launcher struct{}

// NewLauncher returns a launcher.
func NewLauncher() *Launcher { return &Launcher{} }

// Close ends the launcher.
func (l *Launcher) Close() {}

func (l *Launcher) start(o Options, control *os.File) (*os.Process, error) {
	if o.Boot.Isolated {
		return nil, errors.New("namespaces exist on Linux only")
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	return os.StartProcess(exe, agent.InitArgv(), &os.ProcAttr{
		Dir: "/", Env: []string{}, Files: []*os.File{null, null, null, control}, Sys: &syscall.SysProcAttr{Setsid: true},
	})
}
