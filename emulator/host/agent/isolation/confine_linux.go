package isolation

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// HideProcess keeps other processes of the same user id from tracing this one, and from following its links in /proc to its
// program and its open files.
func HideProcess() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("hide the agent from other processes: %w", err)
	}
	return nil
}

// withheld are the capabilities that even root's commands do not get. Without them nobody inside can undo a
// read-only mount of the host's files, nor get at pid 1 and the socket it holds.
var withheld = [...]uintptr{
	unix.CAP_SYS_ADMIN, unix.CAP_SYS_PTRACE, unix.CAP_SYS_MODULE, unix.CAP_SYS_RAWIO, unix.CAP_SYS_BOOT, unix.CAP_BPF,
	unix.CAP_PERFMON, unix.CAP_CHECKPOINT_RESTORE,
}

// ConfineRoot makes this thread, and what it starts, root of the VM and nothing more.
func ConfineRoot() error {
	if err := pretendChown(); err != nil { // needs CAP_SYS_ADMIN
		return err
	}
	for _, c := range withheld {
		err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0)
		if err != nil && !errors.Is(err, unix.EINVAL) { // unknown to this kernel
			return fmt.Errorf("drop capability %d: %w", c, err)
		}
	}
	return nil
}
