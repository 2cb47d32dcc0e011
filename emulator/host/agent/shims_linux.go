package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// shims are the programs whose work only pid 1 can do, or which the host may lack, by name and role.
var shims = [...]struct{ name, role string }{
	{"sudo", roleSudo}, {"su", roleSu}, {"cloud-init", roleCloudInit}, {"reboot", roleReboot},
	{"shutdown", roleShutdown}, {"poweroff", roleShutdown}, {"systemctl", roleSystemctl},
}

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
	for _, s := range shims {
		path := filepath.Join(bin, s.name)
		script := fmt.Sprintf("#!/bin/sh\nexec %s/agent %s %s \"$@\"\n", agentDir, Marker, s.role)
		if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
			return err
		}
		if err := os.Symlink(path, filepath.Join("/usr/local/bin", s.name)); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
		for _, dir := range []string{"/usr/bin", "/usr/sbin"} {
			if err := cover(filepath.Join(dir, s.name), path); err != nil {
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
func showRelease() error { return cover("/usr/lib/os-release", "/etc/os-release") }

// cover shows another file in place of one of the host's, if the host has it.
func cover(host, own string) error {
	real, err := filepath.EvalSymlinks(host)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := unix.Mount(own, real, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("cover %s: %w", host, err)
	}
	return nil
}
