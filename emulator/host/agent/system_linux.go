package agent

import (
	"syscall"

	"golang.org/x/sys/unix"
)

func newSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

func chmod(path string, mode uint32) error { return unix.Chmod(path, mode) }

func (m *machine) setHostname(name string) error {
	if !m.boot.Isolated {
		return nil
	}
	return unix.Sethostname([]byte(name))
}
