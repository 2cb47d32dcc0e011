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
	"time"

	"github.com/gofrs/flock"
)

// Write replaces the file name with data: a temporary file in the same directory is written,
// synced and renamed. The file ends with mode perm whatever the umask is.
func Write(name string, data []byte, perm fs.FileMode) (err error) {
	dir := filepath.Dir(name)
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(name)+".tmp-*")
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
		return err
	}
	return syncDir(dir)
}

// retryEvery is how often a lock held by another process is tried again.
const retryEvery = 20 * time.Millisecond

// Locked runs f while holding an exclusive lock on name+".lock", waiting for it until ctx ends.
// The lock is between processes as well as goroutines, and is released when a process dies.
func Locked(ctx context.Context, name string, f func() error) (err error) {
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
		old, err := os.ReadFile(name)
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
