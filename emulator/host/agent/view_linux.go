package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/azlin-dev/azlin/emulator/host/agent/account"
	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// startUserAgent starts the agent of a login user: in a user namespace where that user's id is the only one, and
// in a mount namespace where what only root may read or write is so although, to the kernel, root and the user
// are the same.
func (m *machine) startUserAgent(who account.Account) (userAgent, error) {
	if who.Name != filepath.Base(who.Name) || who.Name == "." || who.Name == ".." {
		return userAgent{}, fmt.Errorf("%q is no name of a user", who.Name)
	}
	sockets := filepath.Join(userSocketBase, who.Name)
	if err := os.MkdirAll(sockets, 0o755); err != nil {
		return userAgent{}, err
	}
	if err := m.listenFor(who.Name, sockets); err != nil && !errors.Is(err, unix.EADDRINUSE) {
		return userAgent{}, err
	}
	if err := os.MkdirAll(fmt.Sprintf("/run/user/%d", who.UID), 0o700); err != nil {
		return userAgent{}, err
	}
	conn, far, err := wire.Pair()
	if err != nil {
		return userAgent{}, err
	}
	defer far.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		conn.Close()
		return userAgent{}, err
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
	process, err := m.reaper.Start(agentPath, argv, attr, func() error { return restrictView(who) })
	if err != nil {
		conn.Close()
		return userAgent{}, err
	}
	return userAgent{conn, process}, nil
}

// restrictView turns this thread's mounts into what a login user sees. The user's namespace, made next, can
// neither undo nor uncover it.
func restrictView(who account.Account) error {
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
		if err := makeWritable(dir); err != nil {
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

// makeWritable lets the user write to a directory, which is named by the VM's root and may be changed by it at any time: so no
// link on the way is followed, and what was opened is what becomes writable.
func makeWritable(dir string) error {
	place, err := unix.Openat2(unix.AT_FDCWD, dir, &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS,
	})
	if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		return nil // then it stays as it is
	}
	if err != nil {
		return fmt.Errorf("open %s: %w", dir, err)
	}
	defer func() { _ = unix.Close(place) }() // was only looked at
	tree, err := unix.OpenTree(place, "", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_EMPTY_PATH)
	if err != nil {
		return fmt.Errorf("copy the mount of %s: %w", dir, err)
	}
	defer func() { _ = unix.Close(tree) }()
	if err := unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH, &unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY}); err != nil {
		return fmt.Errorf("make %s writable: %w", dir, err)
	}
	if err := unix.MoveMount(tree, "", place, "", unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH); err != nil {
		return fmt.Errorf("mount %s: %w", dir, err)
	}
	return nil
}

// homes are the directories below which a home may lie: the VM's own. A home elsewhere, which the VM's root can write into
// /etc/passwd, would make the host's files or the agent's writable.
var homes = []string{"/home/", "/root/", "/srv/", "/var/", "/opt/", "/mnt/", "/media/"}

func isHome(dir string) bool {
	return dir == filepath.Clean(dir) && slices.ContainsFunc(homes, func(above string) bool { return strings.HasPrefix(dir, above) })
}

// writableTo lists the directories that exist and that the user may write to.
func writableTo(who account.Account) []string {
	var dirs []string
	for _, dir := range []string{
		who.Home, "/tmp", "/var/tmp", "/dev/shm", "/dev/pts", "/run/lock", fmt.Sprintf("/run/user/%d", who.UID),
	} {
		if dir == who.Home && !isHome(dir) {
			continue
		}
		if info, err := os.Lstat(dir); err == nil && info.IsDir() {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// rootOnly lists what exists and is root's to read.
func rootOnly(who account.Account) []string {
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
