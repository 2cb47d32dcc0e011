// Package atomicfile replaces files so that a reader, or a machine that loses power, sees either
// the old content or the new one. It also serialises read-modify-write cycles between processes.
package atomicfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// Write replaces the file name with data: a temporary file in the same directory is written,
// synced and renamed. The file ends with mode perm whatever the umask is. Temporary files that
// killed processes left of this name are removed. Something that is not a file stays: the error is ErrNotRegular.
func Write(name string, data []byte, perm fs.FileMode) error {
	if err := regular(name); err != nil {
		return err
	}
	dir, base := filepath.Dir(name), filepath.Base(name)
	sweep(dir, "."+base+temporary)
	for {
		err := write(name, dir, base, data, perm)
		if err == nil || !errors.Is(err, errSwept) {
			return err
		}
	}
}

const (
	// temporary stands between the name of a file, after a dot, and a number in the names of temporary files.
	temporary = ".tmp-"
	// staleAfter is how old a temporary file is whose writer has died; writing one takes milliseconds.
	staleAfter = time.Minute
)

// errSwept is the error of a writer that was stopped for so long that another one removed its temporary file.
var errSwept = errors.New("the temporary file was removed")

// Sweep removes the temporary files that killed processes left in dir. They hold what their files were to hold, private
// keys as well. dir must be one that only Write writes to.
func Sweep(dir string) { sweep(dir, ".") }

func sweep(dir, prefix string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // Write reports it
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), prefix) || !strings.Contains(e.Name(), temporary) || !e.Type().IsRegular() {
			continue
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > staleAfter {
			_ = os.Remove(filepath.Join(dir, e.Name())) // the next writer tries again
		}
	}
}

func write(name, dir, base string, data []byte, perm fs.FileMode) (err error) {
	tmp, err := os.CreateTemp(dir, "."+base+temporary+"*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tmp.Close()           // the first error is the one that matters
			_ = os.Remove(tmp.Name()) // as above
		}
	}()
	if _, err = tmp.Write(data); err != nil {
		return err
	}
	if err = tmp.Chmod(perm); err != nil {
		return err
	}
	if err = tmp.Sync(); err != nil {
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	if err = os.Rename(tmp.Name(), name); err != nil {
		if _, lost := os.Lstat(tmp.Name()); errors.Is(lost, fs.ErrNotExist) {
			return errSwept
		}
		return err
	}
	return syncDir(dir)
}

// retryEvery is how often a lock held by another process is tried again.
const retryEvery = 20 * time.Millisecond

// Locked runs f while holding an exclusive lock on name+".lock", waiting for it until ctx ends.
// The lock is between processes as well as goroutines, and is released when a process dies.
func Locked(ctx context.Context, name string, f func() error) (err error) {
	if err := regular(name + ".lock"); err != nil { // opening a pipe would wait, whatever ctx says
		return fmt.Errorf("lock %s: %w", name, err)
	}
	l := flock.New(name+".lock", flock.SetPermissions(0o600))
	if _, err := l.TryLockContext(ctx, retryEvery); err != nil {
		return fmt.Errorf("lock %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, l.Unlock()) }()
	return f()
}

// Update reads name (nil when it does not exist), passes it to edit and writes what edit returns,
// all under the lock of Locked. Returning nil data leaves the file as it is.
func Update(ctx context.Context, name string, perm fs.FileMode, edit func(old []byte) ([]byte, error)) error {
	return Locked(ctx, name, func() error {
		old, err := Read(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		data, err := edit(old)
		if err != nil || data == nil {
			return err
		}
		return Write(name, data, perm)
	})
}
