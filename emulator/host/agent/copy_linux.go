package agent

import (
	"context"
	"os"

	"github.com/azlin-dev/azlin/emulator/host/agent/isolation"
	"github.com/azlin-dev/azlin/emulator/host/disk"
)

// CopyArgv is the command line of a process that copies the disk that descriptor 3 is open for to descriptor 4.
func CopyArgv() []string { return []string{"(disk-copy)", Marker, roleCopy} }

// copyDisk is that process.
func copyDisk() error {
	if err := isolation.HideProcess(); err != nil {
		return err
	}
	from, err := os.OpenRoot("/proc/self/fd/3")
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenRoot("/proc/self/fd/4")
	if err != nil {
		return err
	}
	defer to.Close()
	// What belongs to a mount or to one boot, and not to the disk, is left out.
	return disk.Copy(context.Background(), from, to, isolation.DirWork, "tmp")
}
