package isolation

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/azlin-dev/azlin/emulator/host/agent/account"
	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// The VM's directories on the host, below wire.Boot.Root, which keep what is written inside.
const (
	dirRootfs = "rootfs" // empty; where the new root is put together
	dirUpper  = "upper"  // the VM's changes to /etc, /opt and /usr/local
	DirWork   = "work"   // overlayfs's own
)

// kept are the directories of a VM that are its own from the beginning.
var kept = [...]struct {
	path string
	mode os.FileMode
}{
	{"home", 0o755},
	{"root", 0o700},
	{"tmp", 0o777 | os.ModeSticky},
	{"var", 0o755},
	{"srv", 0o755},
	{"mnt", 0o755},
	{"media", 0o755},
	{"boot", 0o755},
}

// Isolate gives pid 1 a root of its own. The host's programs are there to read; nothing of the host that holds
// data is there at all.
func Isolate(boot wire.Boot) error {
	root := filepath.Join(boot.Root, dirRootfs)
	if err := prepareDirectories(boot.Root); err != nil {
		return err
	}
	steps := []struct {
		what string
		do   func() error
	}{
		{"make mounts private", func() error { return unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "") }},
		{"mount root", func() error {
			return unix.Mount("root", root, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755,size=4m")
		}},
		{"show the host's programs", func() error { return mountPrograms(root) }},
		{"mount kept directories", func() error { return mountKept(boot.Root, root) }},
		{"overlay", func() error { return mountOverlays(boot, root) }},
		{"mount /dev", func() error { return mountDevices(root) }},
		{"mount /run", func() error {
			return mountNew(root, "run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755,size=64m")
		}},
		{"mount /proc", func() error { return mountNew(root, "proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "") }},
		{"show processors in /sys", func() error { return mountSys(root) }},
		{"install the agent", func() error { return installAgent(boot.Agent, root) }},
		{"change root", func() error { return changeRoot(root) }},
		{"prepare /var", prepareVar},
		{"set host name", func() error { return unix.Sethostname([]byte(boot.Hostname)) }},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			return fmt.Errorf("%s: %w", s.what, err)
		}
	}
	return nil
}

// prepareDirectories makes the VM's directories. /tmp is emptied at each boot, as on Ubuntu.
func prepareDirectories(base string) error {
	if err := os.RemoveAll(filepath.Join(base, "tmp")); err != nil {
		return fmt.Errorf("empty /tmp: %w", err)
	}
	for _, k := range kept {
		if err := account.MakeDir(filepath.Join(base, k.path), k.mode); err != nil {
			return err
		}
	}
	for _, d := range []string{dirRootfs, "upper/etc", "work/etc", "upper/opt", "work/opt", "upper/local", "work/local"} {
		if err := os.MkdirAll(filepath.Join(base, d), 0o755); err != nil {
			return err
		}
	}
	// The host's directories below /usr/local belong to a user that does not exist inside, and are written to through these,
	// which do. The VM may have put links in their places, which are not followed.
	for _, d := range []string{"bin", "sbin", "lib", "share", "etc", "include", "src", "games"} {
		if err := os.Mkdir(filepath.Join(base, "upper/local", d), 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	return nil
}

// prepareVar makes what programs expect below /var. It is done inside, as the VM may have put links there: seen from the
// host, they would lead to the host's directories.
func prepareVar() error {
	for _, d := range []string{"/var/log", "/var/lib/cloud", "/var/cache", "/var/spool", "/var/backups", "/var/mail"} {
		makeBehindLinks(d, 0)
	}
	if err := account.MakeDir("/var/tmp", 0o777|os.ModeSticky); err != nil {
		return err
	}
	for link, target := range map[string]string{"/var/run": "/run", "/var/lock": "/run/lock"} {
		if err := os.Symlink(target, link); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	return nil
}

// makeBehindLinks makes a directory also where a link leads to a place that is not there, as to a disk that is not mounted.
// Where links lead nowhere in the end there is no directory: whoever made them does without.
func makeBehindLinks(dir string, depth int) {
	if os.MkdirAll(dir, 0o755) == nil || depth > 8 {
		return
	}
	for at := dir; at != "/"; at = filepath.Dir(at) {
		target, err := os.Readlink(at)
		if err != nil {
			continue
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(at), target)
		}
		makeBehindLinks(target, depth+1)
		makeBehindLinks(dir, depth+1)
		return
	}
}

// mountPrograms shows /usr and its relatives read-only, mounts below them included.
func mountPrograms(root string) error {
	for _, name := range []string{"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"} {
		source := "/" + name
		info, err := os.Lstat(source)
		if err != nil {
			continue
		}
		if info.Mode()&os.ModeSymlink != 0 {
			target, err := os.Readlink(source)
			if err != nil {
				return err
			}
			if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
				return err
			}
			continue
		}
		if err := bind(source, root, name, true); err != nil {
			return err
		}
	}
	return nil
}

func mountKept(base, root string) error {
	for _, k := range kept {
		if err := bind(filepath.Join(base, k.path), root, k.path, false); err != nil {
			return err
		}
	}
	return nil
}

// mountOverlays makes /etc, /opt and /usr/local the host's with the VM's changes on top.
func mountOverlays(boot wire.Boot, root string) error {
	for _, o := range []struct {
		name, target string
		lower        []string // the one on top first
	}{
		{"etc", "etc", []string{filepath.Join(boot.Template, TemplateEtc)}},
		{"opt", "opt", []string{"/opt"}},
		{"local", "usr/local", []string{filepath.Join(boot.Template, TemplateLocal), "/usr/local"}},
	} {
		upper := filepath.Join(boot.Root, dirUpper, o.name)
		var lower []string
		for _, dir := range o.lower {
			if _, err := os.Stat(dir); err == nil {
				lower = append(lower, escapeOverlay(dir))
			}
		}
		if lower == nil {
			if err := bind(upper, root, o.target, false); err != nil {
				return err
			}
			continue
		}
		options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s,userxattr", strings.Join(lower, ":"), escapeOverlay(upper),
			escapeOverlay(filepath.Join(boot.Root, DirWork, o.name)))
		if err := mountNew(root, o.target, "overlay", unix.MS_NODEV|unix.MS_NOSUID, options); err != nil {
			return err
		}
	}
	return nil
}

// escapeOverlay protects the characters that overlayfs's option parser splits at.
func escapeOverlay(path string) string {
	return strings.NewReplacer(`\`, `\\`, ":", `\:`, ",", `\,`).Replace(path)
}

func mountDevices(root string) error {
	if err := mountNew(root, "dev", "tmpfs", unix.MS_NOSUID|unix.MS_NOEXEC, "mode=0755,size=1m"); err != nil {
		return err
	}
	dev := filepath.Join(root, "dev")
	for _, name := range []string{"null", "zero", "full", "random", "urandom", "tty"} {
		target := filepath.Join(dev, name)
		if err := os.WriteFile(target, nil, 0o666); err != nil {
			return err
		}
		if err := unix.Mount("/dev/"+name, target, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := mountNew(dev, "pts", "devpts", unix.MS_NOSUID|unix.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620"); err != nil {
		return err
	}
	if err := mountNew(dev, "shm", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=1777"); err != nil {
		return err
	}
	for link, target := range map[string]string{
		"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1",
		"stderr": "/proc/self/fd/2",
	} {
		if err := os.Symlink(target, filepath.Join(dev, link)); err != nil {
			return err
		}
	}
	return nil
}

// mountSys shows what lscpu and nproc read. The rest of /sys is about the host and may be writable to its user.
func mountSys(root string) error {
	const processors = "/sys/devices/system/cpu"
	if err := mountNew(root, "sys", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "mode=0555,size=64k"); err != nil {
		return err
	}
	if _, err := os.Stat(processors); err != nil {
		return nil
	}
	return bind(processors, root, processors[1:], true)
}

// installAgent makes this executable reachable inside.
func installAgent(exe, root string) error {
	target := filepath.Join(root, AgentPath)
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(target, nil, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(exe, target, "", unix.MS_BIND, ""); err != nil {
		return err
	}
	return setReadOnly(target, true)
}

func changeRoot(root string) error {
	if err := os.Chdir(root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot: %w", err)
	}
	// The old root now lies on top of the new one at ".".
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("detach the host's root: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	// What root mounts later is to appear in the users' namespaces too.
	return unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, "")
}

// mountNew mounts a new file system at root/name, which it makes.
func mountNew(root, name, kind string, flags uintptr, options string) error {
	target := filepath.Join(root, name)
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(kind, target, kind, flags, options); err != nil {
		return fmt.Errorf("%s on /%s: %w", kind, name, err)
	}
	return nil
}

// bind shows source at root/name.
func bind(source, root, name string, readOnly bool) error {
	target := filepath.Join(root, name)
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(source, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("bind /%s: %w", name, err)
	}
	if !readOnly {
		return nil
	}
	return setReadOnly(target, true)
}

// setReadOnly changes a mount and those below it; unlike a remount it keeps the flags it does not name.
func setReadOnly(path string, readOnly bool) error {
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
	if !readOnly {
		attr = unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY}
	}
	if err := unix.MountSetattr(unix.AT_FDCWD, path, unix.AT_RECURSIVE, &attr); err != nil {
		return fmt.Errorf("make %s read-only (needs Linux 5.12): %w", path, err)
	}
	return nil
}
