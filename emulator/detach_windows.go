package emulator

import "syscall"

// detachedProcess keeps the daemon from the console of its starter.
const detachedProcess = 0x8

// detached lets the daemon live on when its starter's console is closed.
func detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP | detachedProcess}
}
