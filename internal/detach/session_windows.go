package detach

import "syscall"

// noConsole keeps a program from the console of its starter.
const noConsole = 0x8

// session lets a program live on when its starter's console is closed.
func session() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP | noConsole}
}
