//go:build unix

// Package agent is what runs inside an emulated VM: pid 1, which sets up the machine's own view of the file
// system and starts its commands; one agent per login user, in a nested user namespace, so that the user sees
// uid 1000 and cannot undo what root arranged; and the small programs an Ubuntu VM has and the host may lack
// (sudo, su, cloud-init, reboot, sftp-server).
//
// It does no networking: the emulator owns the listeners and speaks SSH. Everything here runs with one
// unprivileged host user id, whatever it is called inside.
package agent

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/azlin-dev/azlin/emulator/host/agent/userland"
	"github.com/azlin-dev/azlin/emulator/host/software"
)

// Marker is the first argument of every process of this package; the second is its role.
const Marker = "azlin-emulated-vm"

// The roles of a re-executed process; those of people's programs are the programs' names.
const (
	roleInit   = "init"
	roleScoped = "scoped" // init, once more
	roleUser   = "user"
	roleSFTP   = "sftp"
	roleCopy   = "copy"
)

// controlFD is the inherited socket of the roles init and user.
const controlFD = 3

// InitArgv is the command line of a VM's pid 1. The name is what ps shows inside.
func InitArgv() []string { return []string{"/sbin/init", Marker, roleInit} }

// Run is a whole process: it does what role says and returns the exit code.
func Run(role string, args []string) int {
	switch role {
	case roleInit:
		return report("init", runScoped())
	case roleScoped:
		return report("init", runInit())
	case roleUser:
		return report("user agent", runUser(args))
	case roleCopy:
		return report("copy", copyDisk())
	case roleSFTP:
		return report("sftp-server", serveSFTP())
	}
	if code, ok := userland.Run(role, args); ok {
		return code
	}
	if software.Known(role) {
		return runSoftware(role, args)
	}
	fmt.Fprintf(os.Stderr, "unknown role %q\n", role)
	return 2
}

// runSoftware is one of the programs that would fetch from outside.
func runSoftware(name string, args []string) int {
	s := software.System{
		Shim: ShimPath, UID: os.Getuid(), Env: os.Environ(),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Exec: func(path string, argv []string) error { return syscall.Exec(path, argv, os.Environ()) },
	}
	return s.Run(name, args)
}

func report(what string, err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
	return 1
}

// ignoreSignals keeps an agent alive: pid 1 gets signals from inside only where it has handlers, and the Go
// runtime installs handlers for all of them.
func ignoreSignals() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP,
		syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGABRT, syscall.SIGALRM)
	signal.Ignore(syscall.SIGPIPE, syscall.SIGTTOU, syscall.SIGTTIN, syscall.SIGTSTP)
}
