// Package child ties a child process on the terminal, ssh, to the end and suspension of azlin.
package child

import (
	"os/exec"
	"runtime"
	"syscall"
)

// EndWithUs kills cmd when this process is killed: an orphaned ssh would keep its forwards open and share the terminal.
// Linux uses the thread that started cmd as its parent, so the thread must exist until cmd has ended.
func EndWithUs(cmd *exec.Cmd) (release func()) {
	runtime.LockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	return runtime.UnlockOSThread
}
