package isolation

import "golang.org/x/sys/unix"

func chownCalls() (arch uint32, calls []chownCall) {
	return unix.AUDIT_ARCH_X86_64, []chownCall{
		{unix.SYS_CHOWN, 1}, {unix.SYS_LCHOWN, 1}, {unix.SYS_FCHOWN, 1}, {unix.SYS_FCHOWNAT, 2},
	}
}
