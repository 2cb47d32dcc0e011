//go:build !windows

package detach

import "syscall"

// session is one of its own: closing the terminal of the starter does not end it.
func session() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
