//go:build !windows

package detach

import "syscall"

// session starts a new session: closing the parent's terminal does not end it.
func session() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
