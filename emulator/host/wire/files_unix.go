//go:build unix

package wire

import (
	"os"
	"syscall"
)

// Signals are those of RFC 4254, section 6.10, and those that OpenSSH and sudo pass on besides.
var Signals = map[string]syscall.Signal{
	"ABRT": syscall.SIGABRT, "ALRM": syscall.SIGALRM, "FPE": syscall.SIGFPE, "HUP": syscall.SIGHUP,
	"ILL": syscall.SIGILL, "INT": syscall.SIGINT, "KILL": syscall.SIGKILL, "PIPE": syscall.SIGPIPE,
	"QUIT": syscall.SIGQUIT, "SEGV": syscall.SIGSEGV, "TERM": syscall.SIGTERM, "USR1": syscall.SIGUSR1,
	"USR2": syscall.SIGUSR2, "BUS": syscall.SIGBUS, "TRAP": syscall.SIGTRAP, "CONT": syscall.SIGCONT,
}

// CloseFiles closes what came with a message.
func CloseFiles(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}
