package agent

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// abstractScopes is the first version of Landlock that can close abstract Unix sockets (Linux 6.12).
const abstractScopes = 6

// runScoped starts pid 1 anew, so that it and all that it starts reach no abstract Unix socket from outside of the VM. These
// sockets belong to the network, which VMs share with the host, and servers such as X's take whoever has their user's id for
// that user. Kernels that cannot do this leave the VM as it is.
func runScoped() error {
	if os.Getpid() != 1 { // without isolation a VM's processes are the user's anyway
		return runInit()
	}
	runtime.LockOSThread() // what is restricted is a thread, and the program that it becomes
	ok, err := closeAbstractSockets()
	if err != nil {
		return err
	}
	if !ok {
		runtime.UnlockOSThread()
		return runInit()
	}
	return fmt.Errorf("start anew: %w", syscall.Exec("/proc/self/exe", []string{"/sbin/init", Marker, roleScoped}, []string{}))
}

func closeAbstractSockets() (bool, error) {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 || version < abstractScopes {
		return false, nil
	}
	rules := struct{ files, network, scoped uint64 }{scoped: unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&rules)), unsafe.Sizeof(rules), 0)
	if errno != 0 {
		return false, fmt.Errorf("close abstract sockets: %w", errno)
	}
	defer func() { _ = unix.Close(int(fd)) }()
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0); errno != 0 {
		return false, fmt.Errorf("close abstract sockets: %w", errno)
	}
	return true, nil
}
