package host

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/gofrs/flock"
	"github.com/google/uuid"

	"github.com/azlin-dev/azlin/emulator/journal"
)

// files is the directory of a runtime:
//
//	lock               held by the emulator that uses it
//	owner              only in the fallback place: the directory it stands in for
//	agent              a copy of the emulator's executable, where the VMs' user can reach it
//	template-HASH/     the host's /etc without what is secret, and stand-ins, made at the first boot; beside a fallback place
//	machines/HASH/id   the VM's id; HASH is the beginning of its SHA-256
//	machines/HASH/vmid the instance's id, with a checksum: whose files these are
//	machines/HASH/host_key and a copy of it
//	contents/HASH/     what is on a disk, snapshot or image that no VM has
//	machines/HASH/vm/  what the VM writes, and all that its user id may write to
type files struct {
	asked    string // the directory of Options
	base     string // the one in use
	mode     Mode
	uid, gid int // the host's ids of everything in a VM

	template func() (string, error)
	using    *flock.Flock // while VMs see the template; nil: none does
	agent    func() (string, error)
}

// place is the directory of one VM.
type place struct {
	dir  string
	root string // the VM's own
	uid  int
	gid  int
}

// fallbackBase is where VMs live if root's own directory is closed to their user.
const fallbackBase = "/var/lib/azlin-emulator"

func openFiles(dir string, mode Mode) (*files, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f := &files{asked: dir, base: dir, mode: mode, uid: os.Geteuid(), gid: os.Getegid()}
	if f.uid == 0 && mode == Process {
		return nil, errors.New("VMs without isolation must not run as root")
	}
	if f.uid == 0 && mode == Namespaces {
		if err := f.becomeUnprivileged(); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(filepath.Join(f.base, "machines"), f.dirMode()); err != nil {
		return nil, err
	}
	f.agent = sync.OnceValues(f.installAgent)
	f.template = sync.OnceValues(func() (string, error) { return f.openTemplate(mode) })
	return f, nil
}

// dirMode lets the VMs' user pass, where that is not the emulator's own.
func (f *files) dirMode() os.FileMode {
	if f.uid == os.Geteuid() {
		return 0o700
	}
	return 0o711
}

// becomeUnprivileged finds the VMs' user for an emulator that root runs, and a place that user can reach.
func (f *files) becomeUnprivileged() error {
	if err := collectOrphans(fallbackBase); err != nil {
		return err
	}
	id, err := unprivilegedID()
	if err != nil {
		return err
	}
	f.uid, f.gid = id, id
	if reachable(f.asked) {
		return os.Chmod(f.asked, 0o711)
	}
	f.base = filepath.Join(fallbackBase, hashOf(f.asked))
	if err := os.MkdirAll(f.base, 0o711); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(f.base, "owner"), []byte(f.asked), 0o600)
}

// collectOrphans deletes fallback places whose directories are gone.
func collectOrphans(base string) error {
	places, err := os.ReadDir(base)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, p := range places {
		dir := filepath.Join(base, p.Name())
		owner, err := os.ReadFile(filepath.Join(dir, "owner"))
		if err != nil || !filepath.IsAbs(string(owner)) || p.Name() != hashOf(string(owner)) {
			continue
		}
		if _, err := os.Stat(string(owner)); errors.Is(err, fs.ErrNotExist) {
			_ = removeUnused(dir) // somebody else may be at it, too; whoever starts next tries again
		}
	}
	return nil
}

// removeUnused deletes a fallback place unless a runtime holds its lock.
func removeUnused(dir string) error {
	lock := flock.New(filepath.Join(dir, "lock"))
	if held, err := lock.TryLock(); err != nil || !held {
		return err
	}
	defer func() { _ = lock.Unlock() }() // the process's end unlocks it too
	return removeTree(dir)
}

// reachable reports whether everybody may pass through a directory and all above it, except perhaps the last,
// which is the emulator's own to open.
func reachable(dir string) bool {
	for parent := filepath.Dir(dir); ; parent = filepath.Dir(parent) {
		info, err := os.Stat(parent)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if parent == filepath.Dir(parent) {
			return true
		}
	}
}

func (f *files) lockFile() string { return filepath.Join(f.base, "lock") }

// clean deletes what an earlier emulator had no time to.
func (f *files) clean() error {
	var errs []error
	for _, name := range []string{"agent", "probe"} {
		errs = append(errs, removeTree(filepath.Join(f.base, name)))
	}
	if f.using != nil {
		errs = append(errs, f.using.Unlock())
	}
	if f.base == f.asked { // else others may have it, too
		errs = append(errs, removeTemplates(f.base))
	}
	return errors.Join(errs...)
}

// close deletes what is not worth keeping. A fallback place without VMs goes as a whole.
func (f *files) close() error {
	err := f.clean()
	if f.base == f.asked {
		return err
	}
	if machines, readErr := os.ReadDir(filepath.Join(f.base, "machines")); readErr == nil && len(machines) == 0 {
		err = errors.Join(err, removeTree(f.base))
	}
	return err
}

// installAgent puts a copy of the running executable beside the VMs, which may lie where their user cannot go. It is no link:
// whatever became of the file inside a VM would become of the operator's executable.
func (f *files) installAgent() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", err
	}
	target := filepath.Join(f.base, "agent")
	if err := copyFile(exe, target, 0o755, math.MaxInt64); err != nil {
		return "", fmt.Errorf("copy %s: %w", exe, err)
	}
	return target, os.Chmod(target, 0o755)
}

func (f *files) machineDir(id string) string { return filepath.Join(f.base, "machines", hashOf(id)) }

// machine returns the place of a VM, making it at first. What another VM of the same name has left there is not this
// one's: its vmID tells them apart. A new one begins with the disk of that key, or an empty one.
func (f *files) machine(ctx context.Context, id, vmID, disk string) (place, error) {
	p := place{dir: f.machineDir(id), uid: f.uid, gid: f.gid}
	p.root = filepath.Join(p.dir, "vm")
	instance := filepath.Join(p.dir, "vmid")
	was := readInstance(instance)
	if was != "" && was != vmID {
		if err := f.remove(id); err != nil {
			return place{}, err
		}
	}
	if err := os.MkdirAll(p.dir, f.dirMode()); err != nil {
		return place{}, err
	}
	if was != vmID {
		if err := journal.WriteFile(filepath.Join(p.dir, "id"), []byte(id+"\n")); err != nil {
			return place{}, err
		}
		if err := journal.WriteFile(instance, sealInstance(vmID)); err != nil {
			return place{}, err
		}
	}
	if _, err := os.Stat(p.root); disk != "" && errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(f.contentDir(disk)); err == nil {
			return p, f.copyTree(ctx, f.contentDir(disk), p.root)
		}
	}
	return p, f.makeOwned(p.root)
}

// sealInstance is a vmID with a checksum. What a crash made of the file must not pass for another VM's: a VM's files are
// deleted when they are another's.
func sealInstance(vmID string) []byte {
	return fmt.Appendf(nil, "%s %08x\n", vmID, crc32.ChecksumIEEE([]byte(vmID)))
}

// readInstance is the vmID that a file holds; empty when it holds none for certain.
func readInstance(file string) string {
	data, err := journal.ReadFile(file)
	vmID, _, sealed := strings.Cut(strings.TrimSpace(string(data)), " ")
	if err != nil || sealed && !bytes.Equal(data, sealInstance(vmID)) {
		return ""
	}
	if _, err := uuid.Parse(vmID); err != nil && !sealed {
		return "" // files had no checksum once; what Azure gives out can be told from a piece of it
	}
	return vmID
}

// makeOwned makes a directory that belongs to the VMs' user.
func (f *files) makeOwned(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil
		}
		return err
	}
	if f.uid == os.Geteuid() {
		return nil
	}
	return os.Chown(dir, f.uid, f.gid)
}

func (f *files) remove(id string) error { return removeTree(f.machineDir(id)) }

func hashOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:8])
}

// removeTree deletes a directory that a VM may have filled: with directories closed even to their owner.
// Links are not followed.
func removeTree(dir string) error {
	err := os.RemoveAll(dir)
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := unlockTree(root, "."); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// unlockTree makes all directories of a tree accessible to their owner.
func unlockTree(root *os.Root, dir string) error {
	if err := root.Chmod(dir, 0o700); err != nil {
		return err
	}
	d, err := root.Open(dir)
	if err != nil {
		return err
	}
	entries, err := d.ReadDir(-1)
	d.Close()
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := unlockTree(root, filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
