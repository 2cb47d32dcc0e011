package isolation

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/azlin-dev/azlin/emulator/host/agent/account"
)

// RestrictView turns this thread's mounts into what a login user sees. The user's namespace, made next, can
// neither undo nor uncover it.
func RestrictView(who account.Account) error {
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
	if err := unix.Mount(filepath.Join(UserSocketBase, who.Name), OwnSocketDir, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("show the user's socket: %w", err)
	}
	return deny(UserSocketBase)
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
	cover := DeniedFile
	switch {
	case info.IsDir():
		cover = DeniedDir
	case !info.Mode().IsRegular():
		return nil
	}
	if err := unix.Mount(cover, path, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("cover %s: %w", path, err)
	}
	return nil
}
