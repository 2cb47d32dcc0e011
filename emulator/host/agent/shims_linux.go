package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/azlin-dev/azlin/emulator/host/agent/isolation"
)

// installShims makes the program that the links of /usr/local/bin lead to, and shows it in place of the host's own
// of the names in shims. The others are found first, which has to do: each cover costs the boot a mount.
func installShims() error {
	bin := filepath.Join(isolation.AgentDir, "bin")
	for _, dir := range []string{bin, isolation.OwnSocketDir, isolation.UserSocketBase, "/run/lock", "/run/user", "/run/sshd", "/run/cloud-init"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := os.Chmod("/run/lock", 0o777|os.ModeSticky); err != nil {
		return err
	}
	// The name it is called by is the role.
	const script = ShimPath
	content := fmt.Sprintf("#!/bin/sh\n%sexec %s %s \"${0##*/}\" \"$@\"\n", shimEnvironment, isolation.AgentPath, Marker)
	if err := os.WriteFile(script, []byte(content), 0o755); err != nil {
		return err
	}
	covered := map[string]bool{}
	for _, name := range shims {
		for _, dir := range []string{"/usr/bin", "/usr/sbin"} {
			if err := cover(filepath.Join(dir, name), script, covered); err != nil {
				return err
			}
		}
	}
	if err := os.WriteFile(isolation.DeniedFile, nil, 0); err != nil {
		return err
	}
	return os.Mkdir(isolation.DeniedDir, 0)
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
