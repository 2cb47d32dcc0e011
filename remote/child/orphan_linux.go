// Package child ties a program that azlin runs on the terminal, ssh, to azlin's own end and suspension.
package child

import (
	"os/exec"
	"runtime"
	"syscall"
)

// EndWithUs makes cmd end when this process is killed: an ssh that goes on alone would keep its forwards open and share the
// terminal with whoever is there next. Linux takes the thread that started cmd for its parent, so that this one has to
// stay until cmd has ended.
func EndWithUs(cmd *exec.Cmd) (release func()) {
	runtime.LockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	return runtime.UnlockOSThread
}
