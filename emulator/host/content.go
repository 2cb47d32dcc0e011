package host

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/azlin-dev/azlin/emulator/host/disk"
	"github.com/azlin-dev/azlin/emulator/host/guest"
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
	if err := r.files.copyTree(ctx, from, to); err != nil {
		return fmt.Errorf("keep a disk: %w", err)
	}
	return nil
}

// copyTree replaces a VM's directory by a copy of another one.
func (f *files) copyTree(ctx context.Context, from, to string) error {
	fresh := to + ".new"
	if err := removeTree(fresh); err != nil {
		return err
	}
	if err := f.makeOwned(fresh); err != nil {
		return err
	}
	if err := f.copyDisk(ctx, from, fresh); err != nil {
		return errors.Join(err, removeTree(fresh))
	}
	if err := removeTree(to); err != nil {
		return err
	}
	return os.Rename(fresh, to)
}

// copyDisk fills an empty directory. Without isolation a VM's files are those of the emulator's user.
func (f *files) copyDisk(ctx context.Context, from, to string) error {
	if f.mode == Namespaces {
		return guest.CopyDisk(ctx, f.uid, f.gid, from, to)
	}
	source, err := os.OpenRoot(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenRoot(to)
	if err != nil {
		return err
	}
	defer target.Close()
	return disk.Copy(ctx, source, target, "tmp")
}
