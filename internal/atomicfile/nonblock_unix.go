//go:build unix

package atomicfile

import "syscall"

const nonblocking = syscall.O_NONBLOCK
