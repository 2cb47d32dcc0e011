//go:build !windows

package emulator

import "syscall"

// detached gives the daemon a session of its own: closing the terminal does not end it.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
