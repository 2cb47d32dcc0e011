package host

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// What VMs have written is kept beside them when it is to outlive them: the content of snapshots, images and disks that
// no VM has. Only the disk of the operating system has one; data disks are not mounted.

func (f *files) contentDir(key string) string {
	return filepath.Join(f.base, "contents", hashOf(strings.ToLower(key)))
}

// Keep copies what a VM has on its disk, running or not, and gives it a key, as a snapshot does: what is being written
// meanwhile may be there in part. A VM that never booted has nothing, and then there is nothing of that key.
func (r *Runtime) Keep(ctx context.Context, id, key string) error {
	from := filepath.Join(r.files.machineDir(strings.ToLower(id)), "vm")
	return r.copyContent(ctx, from, key)
}

// CopyKept copies what was kept under another key.
func (r *Runtime) CopyKept(ctx context.Context, from, to string) error {
	return r.copyContent(ctx, r.files.contentDir(from), to)
}

// Forget takes what was kept out of the way at once; remove deletes it, which may take its time.
func (r *Runtime) Forget(key string) (remove func() error, err error) {
	dir := r.files.contentDir(key)
	gone := dir + "." + strings.ToLower(rand.Text()) + ".gone"
	if err := os.Rename(dir, gone); errors.Is(err, fs.ErrNotExist) {
		return func() error { return nil }, nil
	} else if err != nil {
		return nil, err
	}
	return func() error { return removeTree(gone) }, nil
}

func (r *Runtime) copyContent(ctx context.Context, from, key string) error {
	if _, err := os.Stat(from); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	to := r.files.contentDir(key)
	if err := os.MkdirAll(filepath.Dir(to), r.files.dirMode()); err != nil {
		return fmt.Errorf("keep a disk: %w", err)
	}
	if err := copyTree(ctx, from, to); err != nil {
		return fmt.Errorf("keep a disk: %w", err)
	}
	return nil
}

// copyTree replaces a tree by a copy of another one, with owners, modes and the marks by which the overlay knows what
// was deleted: all that cp keeps.
func copyTree(ctx context.Context, from, to string) error {
	fresh := to + ".new"
	if err := removeTree(fresh); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "cp", "-a", from, fresh).CombinedOutput()
	// Files that go while they are copied are no failure, as little as for a snapshot.
	if err != nil && !vanishedOnly(string(out)) {
		return errors.Join(fmt.Errorf("cp: %w: %s", err, strings.TrimSpace(string(out))), removeTree(fresh))
	}
	// What belongs to a mount and not to the disk.
	for _, name := range []string{"work", "tmp"} {
		if err := emptyTree(filepath.Join(fresh, name)); err != nil {
			return err
		}
	}
	if err := removeTree(to); err != nil {
		return err
	}
	return os.Rename(fresh, to)
}

func vanishedOnly(said string) bool {
	for line := range strings.Lines(said) {
		if !strings.Contains(line, "No such file or directory") {
			return false
		}
	}
	return said != ""
}

// emptyTree removes what is in a directory.
func emptyTree(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := removeTree(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}
