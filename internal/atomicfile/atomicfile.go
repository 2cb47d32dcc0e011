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

// Write replaces the file name with data: a temporary file in the same directory is written, synced and renamed. The file
// has mode perm, whatever the umask. Temporary files of killed processes for this name are removed. If name is not a regular
// file, nothing changes and the error is ErrNotRegular.
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
	// temporary is the part between a file's name, after a dot, and a number in the names of temporary files.
	temporary = ".tmp-"
	// staleAfter is the age from which a temporary file belongs to a dead writer; writing one takes milliseconds.
	staleAfter = time.Minute
)

// errSwept is the error of a writer that was stopped so long that another removed its temporary file.
var errSwept = errors.New("the temporary file was removed")

// Sweep removes the temporary files that killed processes left in dir. They may contain secrets, such as private keys. Only
// Write may write to dir.
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
			_ = os.Remove(filepath.Join(dir, e.Name())) // the next writer retries
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
			_ = tmp.Close()           // the first error is the important one
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

// retryEvery is the interval between tries for a lock that another process holds.
const retryEvery = 20 * time.Millisecond

// Locked runs f while holding an exclusive lock on name+".lock", waiting for it until ctx ends.
// The lock is between processes as well as goroutines, and is released when a process dies.
func Locked(ctx context.Context, name string, f func() error) (err error) {
	if err := regular(name + ".lock"); err != nil { // opening a pipe would block, ignoring ctx
		return fmt.Errorf("lock %s: %w", name, err)
	}
	l := flock.New(name+".lock", flock.SetPermissions(0o600))
	if _, err := l.TryLockContext(ctx, retryEvery); err != nil {
		return fmt.Errorf("lock %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, l.Unlock()) }()
	return f()
}

// Update reads name (nil when it does not exist), passes it to edit and writes the result, all under the lock of Locked.
// Returning nil data leaves the file unchanged.
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
