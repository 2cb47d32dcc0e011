package agent

import (
	"os"
	"path/filepath"

	"github.com/azlin-dev/azlin/emulator/host/software"
)

// ShimPath is the program inside a VM that runs a stand-in, by the name it is called by.
const ShimPath = "/run/.azlin/bin/shim"

// shims are the programs whose work only pid 1 can do, or which the host may lack.
var shims = [...]string{"sudo", "su", "cloud-init", "reboot", "shutdown", "poweroff", "halt", "systemctl"}

// StandIns lists the programs that each VM finds in /usr/local/bin from the beginning: those of Ubuntu's image, and
// those that would otherwise be the host's.
func StandIns() []string {
	names := append(shims[:], software.InImage()...)
	for _, name := range software.Guarded() {
		for _, dir := range []string{"/usr/local/bin", "/usr/bin"} {
			if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
				names = append(names, name)
				break
			}
		}
	}
	return names
}
