// Package owner manages directories that each belong to one process, with a lock that is released when the process ends.
package owner

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"runtime"

	"github.com/gofrs/flock"
)

// ErrTaken is returned for a directory of a running process.
var ErrTaken = errors.New("it belongs to a process that runs")

// Dir is a directory that this process holds.
type Dir struct {
	Path string

	lock *flock.Flock
}

const lockName = "lock"

// Take creates a directory, of mode 0700, and locks it. ErrTaken: another process has it.
func Take(path string) (*Dir, error) {
	for {
		// A clean-up may remove it between any of these steps.
		err := os.MkdirAll(path, 0o700)
		if err != nil && !errors.Is(err, os.ErrExist) {
			return nil, err
		}
		d, err := hold(path)
		if !errors.Is(err, os.ErrNotExist) {
			return d, err
		}
	}
}

// Left locks an existing directory. ErrTaken: its process is running. Remove or release the result.
func Left(path string) (*Dir, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	return hold(path)
}

func hold(path string) (*Dir, error) {
	lock := flock.New(filepath.Join(path, lockName), flock.SetPermissions(0o600))
	held, err := lock.TryLock()
	if err != nil {
		return nil, err
	}
	if !held {
		return nil, ErrTaken
	}
	// If the directory was removed in between, the lock has no effect.
	mine, err := lock.Stat()
	if err == nil {
		var there os.FileInfo
		if there, err = os.Stat(lock.Path()); err == nil && !os.SameFile(mine, there) {
			err = os.ErrNotExist
		}
	}
	if err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	return &Dir{path, lock}, nil
}

// Release unlocks the directory and keeps it.
func (d *Dir) Release() error { return d.lock.Unlock() }

// Remove deletes the directory with all that is in it.
func (d *Dir) Remove() error {
	gone := d.Path
	// Under its own name another process could take it as soon as its lock is deleted, and would lose its files. Windows
	// cannot rename an open directory, but refuses to delete it too.
	if runtime.GOOS != "windows" {
		gone += ".removed-" + rand.Text()
		if err := os.Rename(d.Path, gone); err != nil && !errors.Is(err, os.ErrNotExist) {
			return errors.Join(err, d.lock.Unlock())
		}
	}
	err := os.RemoveAll(gone)
	if unlocked := d.lock.Unlock(); unlocked != nil || err == nil {
		return unlocked
	}
	return os.RemoveAll(gone) // a clean-up may have opened it
}
