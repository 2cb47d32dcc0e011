package detach

import "syscall"

// noConsole detaches a program from its parent's console.
const noConsole = 0x8

// session lets a program continue when its parent's console is closed.
func session() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP | noConsole}
}
