package guest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// sealedProgram is this executable in memory, sealed against change. VMs run that and not the file: a VM that reaches the
// program of one of its processes (/proc/PID/exe) would otherwise change the operator's executable, which the VM's user may
// own. It stays open for the life of this process.
var sealedProgram = sync.OnceValues(func() (*os.File, error) {
	exe, err := os.Open("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	defer exe.Close()
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate("azlin-vm", flags|unix.MFD_EXEC)
	if errors.Is(err, unix.EINVAL) { // Linux before 6.3 has no such flag: all of them are executable
		fd, err = unix.MemfdCreate("azlin-vm", flags)
	}
	if err != nil {
		return nil, fmt.Errorf("make a file in memory: %w", err)
	}
	// The child gets its own files under the first numbers, before it starts the program by this one.
	above, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 10)
	_ = unix.Close(fd) // the duplicate is what stays
	if err != nil {
		return nil, fmt.Errorf("number the file in memory: %w", err)
	}
	f := os.NewFile(uintptr(above), "azlin-vm")
	if _, err := io.Copy(f, exe); err != nil {
		f.Close()
		return nil, fmt.Errorf("copy the executable into memory: %w", err)
	}
	seals := unix.F_SEAL_WRITE | unix.F_SEAL_GROW | unix.F_SEAL_SHRINK | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, seals); err != nil {
		f.Close()
		return nil, fmt.Errorf("seal the executable: %w", err)
	}
	return f, nil
})

// programMode lets every user id run the program, and nobody do more.
const programMode = 0o555

// program is the path by which a child of this process starts the sealed program.
func program() (string, error) {
	f, err := sealedProgram()
	if err != nil {
		return "", err
	}
	// The mode is not sealed: a VM of the same user id may have changed it.
	if err := f.Chmod(programMode); err != nil {
		return "", fmt.Errorf("open the sealed executable to the VMs: %w", err)
	}
	return "/proc/self/fd/" + strconv.Itoa(int(f.Fd())), nil
}
