package isolation

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pretendChown makes chown to another user succeed without effect for what this thread starts. The VM has a
// single user id, so root cannot give files away; but what root writes already belongs to the user as the user
// sees it, and scripts that end in "chown user:user" then do what they mean.
func pretendChown() error {
	arch, calls := chownCalls()
	if arch == 0 {
		return nil
	}
	// Words of struct seccomp_data: the call's number, the architecture, the low halves of the arguments.
	const number, architecture = 0, 4
	argument := func(i int) uint32 { return uint32(16 + 8*i) }

	filter := []unix.SockFilter{
		load(architecture),
		jumpUnless(arch, 1),
		{Code: unix.BPF_JMP | unix.BPF_JA, K: 1},
		allow(),
	}
	for _, c := range calls {
		// Real only if both ids are root's or "unchanged".
		filter = append(filter,
			load(number), jumpUnless(c.number, 8),
			load(argument(c.uid)), jumpIf(0, 1), jumpUnless(unchanged, 4),
			load(argument(c.uid+1)), jumpIf(0, 1), jumpUnless(unchanged, 1),
			allow(),
			pretend(),
		)
	}
	filter = append(filter, allow())
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&program)))
	runtime.KeepAlive(filter)
	if errno != 0 {
		return fmt.Errorf("install system call filter: %w", errno)
	}
	return nil
}

// unchanged is chown's id -1.
const unchanged = 0xffffffff

// chownCall is a system call of the chown family; its group argument follows the user's.
type chownCall struct {
	number uint32
	uid    int
}

func load(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

func jumpIf(value uint32, skip uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: value, Jt: skip}
}

func jumpUnless(value uint32, skip uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: value, Jf: skip}
}

func allow() unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}
}

func pretend() unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO} // errno 0: success
}
