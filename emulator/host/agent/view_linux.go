package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// startUserAgent starts the agent of a login user: in a user namespace where that user's id is the only one, and
// in a mount namespace where what only root may read or write is so although, to the kernel, root and the user
// are the same.
func (m *machine) startUserAgent(who account) (*wire.Conn, error) {
	sockets := filepath.Join(userSocketBase, who.Name)
	if err := os.MkdirAll(sockets, 0o755); err != nil {
		return nil, err
	}
	if err := m.listenFor(who.Name, sockets); err != nil && !errors.Is(err, unix.EADDRINUSE) {
		return nil, err
	}
	if err := os.MkdirAll(fmt.Sprintf("/run/user/%d", who.UID), 0o700); err != nil {
		return nil, err
	}
	conn, far, err := wire.Pair()
	if err != nil {
		return nil, err
	}
	defer far.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		conn.Close()
		return nil, err
	}
	defer null.Close()
	attr := &os.ProcAttr{
		Dir: "/", Env: []string{}, Files: []*os.File{null, null, null, far},
		Sys: &syscall.SysProcAttr{
			Setsid:      true,
			Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: who.UID, HostID: 0, Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: who.GID, HostID: 0, Size: 1}},
		},
	}
	argv := []string{"(sshd-user)", Marker, roleUser, who.Name}
	if _, err := m.reaper.start(agentPath, argv, attr, func() error { return restrictView(who) }); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// restrictView turns this thread's mounts into what a login user sees. The user's namespace, made next, can
// neither undo nor uncover it.
func restrictView(who account) error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("unshare mounts: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return fmt.Errorf("separate mounts: %w", err)
	}
	if err := setReadOnly("/", true); err != nil {
		return err
	}
	if err := setReadOnly("/proc", false); err != nil {
		return err
	}
	for _, dir := range writableTo(who) {
		if err := bind(dir, "/", dir, false); err != nil {
			return err
		}
		if err := setReadOnly(dir, false); err != nil {
			return err
		}
	}
	for _, path := range rootOnly(who) {
		if err := deny(path); err != nil {
			return err
		}
	}
	if err := unix.Mount(filepath.Join(userSocketBase, who.Name), ownSocketDir, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("show the user's socket: %w", err)
	}
	return deny(userSocketBase)
}

// writableTo lists the directories that exist and that the user may write to.
func writableTo(who account) []string {
	var dirs []string
	for _, dir := range []string{
		who.Home, "/tmp", "/var/tmp", "/dev/shm", "/dev/pts", "/run/lock", fmt.Sprintf("/run/user/%d", who.UID),
	} {
		if info, err := os.Lstat(dir); err == nil && info.IsDir() && dir != "/" {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// rootOnly lists what exists and is root's to read.
func rootOnly(who account) []string {
	paths := []string{
		"/root", "/etc/shadow", "/etc/gshadow", "/etc/shadow-", "/etc/gshadow-", "/etc/sudoers", "/etc/sudoers.d",
		"/var/lib/waagent", "/var/log/cloud-init-private.log",
	}
	for _, pattern := range []string{
		"/etc/ssh/ssh_host_*_key", "/var/lib/cloud/instances/*/user-data.txt*", "/var/lib/cloud/instances/*/scripts",
		"/var/lib/cloud/instances/*/vendor-data.txt*", "/home/*",
	} {
		found, _ := filepath.Glob(pattern) // the patterns are well-formed
		paths = append(paths, found...)
	}
	var present []string
	for _, path := range paths {
		if _, err := os.Lstat(path); err == nil && path != who.Home {
			present = append(present, path)
		}
	}
	return present
}

// deny covers a path with one that nobody may open.
func deny(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	cover := deniedFile
	switch {
	case info.IsDir():
		cover = deniedDir
	case !info.Mode().IsRegular():
		return nil
	}
	if err := unix.Mount(cover, path, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("cover %s: %w", path, err)
	}
	return nil
}
