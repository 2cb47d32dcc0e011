package host

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gofrs/flock"

	"github.com/azlin-dev/azlin/emulator/host/agent"
	"github.com/azlin-dev/azlin/emulator/host/agent/isolation"
)

// The bounds of what is copied of the host's /etc.
const (
	maxTemplateFile = 2 << 20
	maxTemplateSize = 64 << 20
)

// own are the parts of /etc that say who the host is or how it is run. A VM gets none of them.
var own = []string{
	"passwd", "passwd-", "group", "group-", "shadow", "shadow-", "gshadow", "gshadow-", "subuid", "subgid", "subuid-", "subgid-",
	"hostname", "hosts", "machine-id", "fstab", "mtab", "crypttab", "environment", "ssh", "sudoers", "sudoers.d", "sudo.conf",
	"apt", "cloud", "cron.d", "crontab", "cron.daily", "cron.hourly", "cron.weekly", "cron.monthly", "netplan", "network",
	"NetworkManager", "wireguard", "openvpn", "docker", "containerd", "kubernetes", "gitconfig", "npmrc", "pip.conf", "wgetrc",
	"curlrc", "krb5.keytab", "os-release", "lsb-release", "motd", "issue", "issue.net", "debian_version", "localtime", "timezone",
}

// openTemplate finds or makes the directories that all VMs see below their own changes: what of the host's /etc everybody
// may read and a VM may have, and the stand-ins of /usr/local/bin. All emulators of root whose places are beside each other
// have them in common: a thousand files and links are not made anew for each.
func (f *files) openTemplate(mode Mode) (string, error) {
	if mode != Namespaces {
		return "", nil
	}
	home := f.base
	if f.base != f.asked {
		home = filepath.Dir(f.base)
	}
	// Whoever makes, begins to use or deletes a template holds this.
	makers := flock.New(filepath.Join(home, "templates.lock"))
	if err := makers.Lock(); err != nil {
		return "", fmt.Errorf("wait for who makes a template: %w", err)
	}
	defer func() { _ = makers.Unlock() }() // the process's end unlocks it too
	dir := filepath.Join(home, templatePrefix+f.templateKey())
	f.using = flock.New(dir + ".lock")
	if err := f.using.RLock(); err != nil {
		return "", fmt.Errorf("use the template: %w", err)
	}
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := removeTemplates(home); err != nil {
		return "", err
	}
	making := filepath.Join(home, templateMaking)
	if err := f.fillTemplate(making); err != nil {
		return "", err
	}
	return dir, os.Rename(making, dir)
}

// What the names of templates begin with, and that of one in the making, or left by who was killed making it.
const (
	templatePrefix = "template-"
	templateMaking = ".template"
)

// removeTemplates deletes the templates that no emulator uses: the host's /etc has changed since.
func removeTemplates(home string) error {
	errs := []error{removeTree(filepath.Join(home, templateMaking))}
	locks, err := filepath.Glob(filepath.Join(home, templatePrefix+"*.lock"))
	if err != nil {
		return err
	}
	for _, name := range locks {
		lock := flock.New(name)
		if held, err := lock.TryLock(); err != nil || !held {
			continue
		}
		errs = append(errs, removeTree(strings.TrimSuffix(name, ".lock")), os.Remove(name), lock.Unlock())
	}
	return errors.Join(errs...)
}

// templateKey is another one when a template would be another one.
func (f *files) templateKey() string {
	sum := sha256.New()
	fmt.Fprintln(sum, f.uid, f.gid, agent.ShimPath, agent.StandIns())
	_ = filepath.WalkDir("/etc", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // it cannot be read or is gone: it will not be copied either
		}
		if d.IsDir() && filepath.Dir(path) == "/etc" && slices.Contains(own, d.Name()) {
			return fs.SkipDir
		}
		if info, err := d.Info(); err == nil {
			fmt.Fprintln(sum, path, info.Mode(), info.Size(), info.ModTime().UnixNano())
		}
		return nil
	})
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

func (f *files) fillTemplate(dir string) error {
	for _, name := range []string{
		"", isolation.TemplateEtc, filepath.Join(isolation.TemplateEtc, "apt"), filepath.Join(isolation.TemplateEtc, "apt/sources.list.d"), isolation.TemplateLocal, filepath.Join(isolation.TemplateLocal, "bin"),
	} {
		if err := f.makeOwned(filepath.Join(dir, name)); err != nil {
			return err
		}
		if err := os.Chmod(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	t := template{files: f, left: maxTemplateSize}
	if err := t.copyDir("/etc", filepath.Join(dir, isolation.TemplateEtc), own); err != nil {
		return fmt.Errorf("copy /etc: %w", err)
	}
	if err := t.linkStandIns(filepath.Join(dir, isolation.TemplateLocal, "bin")); err != nil {
		return fmt.Errorf("link stand-ins: %w", err)
	}
	return nil
}

// linkStandIns makes the programs whose work is not the host's the ones that every VM finds first, whatever the host
// has in its own /usr/local/bin. Done once here, they cost a boot nothing.
func (t *template) linkStandIns(dir string) error {
	for _, name := range agent.StandIns() {
		path := filepath.Join(dir, name)
		if err := os.Symlink(agent.ShimPath, path); err != nil {
			return err
		}
		if err := t.own(path); err != nil {
			return err
		}
	}
	return nil
}

// own gives a path to the VMs' user.
func (t *template) own(path string) error {
	if t.files.uid == os.Geteuid() {
		return nil
	}
	return os.Lchown(path, t.files.uid, t.files.gid)
}

type template struct {
	files *files
	left  int64 // bytes that may still be copied
}

// copyDir copies a directory's readable entries. What vanishes or cannot be read meanwhile is left out.
func (t *template) copyDir(from, to string, skip []string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		source, target := filepath.Join(from, e.Name()), filepath.Join(to, e.Name())
		info, err := e.Info()
		if err != nil || slices.Contains(skip, e.Name()) {
			continue
		}
		switch {
		case info.Mode()&os.ModeSymlink != 0:
			err = copyLink(source, target)
		case info.IsDir() && info.Mode().Perm()&0o005 == 0o005:
			if err = os.Mkdir(target, 0o755); err == nil {
				err = t.copyDir(source, target, nil)
			}
		case info.Mode().IsRegular() && info.Mode().Perm()&0o004 != 0 && info.Size() <= min(maxTemplateFile, t.left):
			t.left -= info.Size()
			err = copyFile(source, target, info.Mode().Perm()|0o600, maxTemplateFile)
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
				continue // it was replaced meanwhile
			}
		default:
			continue
		}
		if err != nil {
			return err
		}
		if err := t.own(target); err != nil {
			return err
		}
	}
	return nil
}

func copyLink(from, to string) error {
	target, err := os.Readlink(from)
	if err != nil {
		return err
	}
	return os.Symlink(target, to)
}

func copyFile(from, to string, mode os.FileMode, limit int64) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, io.LimitReader(in, limit)); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
