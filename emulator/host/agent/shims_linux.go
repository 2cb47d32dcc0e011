package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// shims are the programs whose work only pid 1 can do, or which the host may lack.
var shims = [...]string{"sudo", "su", "cloud-init", "reboot", "shutdown", "poweroff", "halt", "systemctl"}

// installShims puts the programs in /usr/local/bin, and over the host's own of the same name.
func installShims() error {
	bin := filepath.Join(agentDir, "bin")
	for _, dir := range []string{bin, ownSocketDir, userSocketBase, "/run/lock", "/run/user", "/run/sshd", "/run/cloud-init"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := os.Chmod("/run/lock", 0o777|os.ModeSticky); err != nil {
		return err
	}
	// The name it is called by is the role.
	script := filepath.Join(bin, "shim")
	content := fmt.Sprintf("#!/bin/sh\nexec %s/agent %s \"${0##*/}\" \"$@\"\n", agentDir, Marker)
	if err := os.WriteFile(script, []byte(content), 0o755); err != nil {
		return err
	}
	covered := map[string]bool{}
	for _, name := range shims {
		if err := os.Symlink(script, filepath.Join("/usr/local/bin", name)); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
		for _, dir := range []string{"/usr/bin", "/usr/sbin"} {
			if err := cover(filepath.Join(dir, name), script, covered); err != nil {
				return err
			}
		}
	}
	if err := os.WriteFile(deniedFile, nil, 0); err != nil {
		return err
	}
	return os.Mkdir(deniedDir, 0)
}

// showRelease makes /usr/lib/os-release say what /etc/os-release does.
func showRelease() error {
	return cover("/usr/lib/os-release", "/etc/os-release", map[string]bool{})
}

// cover shows another file in place of one of the host's, if the host has it, and once however many links lead
// there.
func cover(host, own string, covered map[string]bool) error {
	real, err := filepath.EvalSymlinks(host)
	if errors.Is(err, os.ErrNotExist) || err == nil && covered[real] {
		return nil
	}
	if err != nil {
		return err
	}
	covered[real] = true
	if err := unix.Mount(own, real, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("cover %s: %w", host, err)
	}
	return nil
}
