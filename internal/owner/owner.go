// Package owner keeps directories that belong to one process each, under a lock that is free when the process is no more.
package owner

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"runtime"

	"github.com/gofrs/flock"
)

// ErrTaken is returned for a directory whose process lives.
var ErrTaken = errors.New("it belongs to a process that runs")

// Dir is a directory that this process holds.
type Dir struct {
	Path string

	lock *flock.Flock
}

const lockName = "lock"

// Take makes a directory, of mode 0700, and holds it. ErrTaken: somebody else does.
func Take(path string) (*Dir, error) {
	for {
		// A clean-up may remove it at any of these steps.
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

// Left holds a directory that is there. ErrTaken: its process lives. What it returns is to be removed, or let go of.
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
	// If it was removed in between, the lock means nothing.
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

// Release lets go of the directory and leaves it where it is.
func (d *Dir) Release() error { return d.lock.Unlock() }

// Remove deletes the directory with all that is in it.
func (d *Dir) Remove() error {
	gone := d.Path
	// Under its own name somebody else could take it as soon as its lock is deleted, and would lose what they put into it.
	// Windows, which moves nothing that is open, refuses to delete it just as well.
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
	return os.RemoveAll(gone) // a clean-up may have looked into it
}
