package guest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"

	"github.com/azlin-dev/azlin/emulator/host/agent"
)

// CopyDisk copies what a VM's disk holds into an empty directory. A process does that which has the rights of root inside
// the VM, and no others: it reads what is closed to the VM's user, but nothing that a VM could not read itself.
func CopyDisk(ctx context.Context, uid, gid int, from, to string) error {
	path, err := program()
	if err != nil {
		return fmt.Errorf("copy a disk: %w", err)
	}
	var dirs []*os.File
	defer func() { closeAll(dirs) }()
	for _, name := range []string{from, to} {
		d, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("copy a disk: %w", err)
		}
		dirs = append(dirs, d)
	}
	// The kernel ends the process when the thread that started it ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, path)
	cmd.Args = agent.CopyArgv()
	cmd.Dir, cmd.Env, cmd.ExtraFiles = "/", []string{}, dirs
	var said bytes.Buffer
	cmd.Stderr = &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	inUserNamespace(cmd.SysProcAttr, uid, gid)
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return fmt.Errorf("copy a disk: %w: %s", err, strings.TrimSpace(said.String()))
	}
	return nil
}

// inUserNamespace starts a process as root of a user namespace that has one host id only.
func inUserNamespace(attr *syscall.SysProcAttr, uid, gid int) {
	attr.Cloneflags |= syscall.CLONE_NEWUSER
	attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
	attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: gid, Size: 1}}
	// Root gives up its groups; anybody else may not, and keeps those he has anyway.
	privileged := os.Geteuid() == 0
	attr.GidMappingsEnableSetgroups = privileged
	attr.Credential = &syscall.Credential{Uid: 0, Gid: 0, NoSetGroups: !privileged}
}
