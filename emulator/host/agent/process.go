//go:build unix

package agent

import (
	"os"
	"path/filepath"

	"github.com/azlin-dev/azlin/emulator/host/agent/account"
)

// processShims is the directory of a VM without isolation that comes first in PATH.
const processShims = "shims"

// prepareTree makes the directories of a VM that is not isolated. Its sudo refuses: the host's would give out the
// host's root.
func prepareTree(t account.Tree) error {
	for _, dir := range []string{"etc/ssh", "home", "root", "tmp", "var/log", "var/lib", "run/cloud-init", processShims} {
		if err := os.MkdirAll(t.Path(dir), 0o700); err != nil {
			return err
		}
	}
	const refusal = "#!/bin/sh\necho \"${0##*/}: there is no root in a VM without isolation\" >&2\nexit 1\n"
	for _, name := range []string{"sudo", "su", "reboot", "shutdown", "poweroff", "halt", "systemctl"} {
		if err := os.WriteFile(t.Path(filepath.Join(processShims, name)), []byte(refusal), 0o700); err != nil {
			return err
		}
	}
	return nil
}

// endProcesses kills what a VM without isolation started; with isolation the kernel does.
func (m *machine) endProcesses() {
	m.reaper.KillAll()
	killDescendants()
}
