//go:build unix

package software

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// lock takes one of apt's locks as apt does (fcntl), waiting for at most limit. When somebody else holds it,
// holder is who.
func (s *System) lock(name string, limit time.Duration) (release func(), holder int, err error) {
	path := s.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, 0, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, 0, err
	}
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		l := unix.Flock_t{Type: unix.F_WRLCK}
		err := unix.FcntlFlock(f.Fd(), unix.F_SETLK, &l)
		if err == nil {
			return func() { f.Close() }, 0, nil
		}
		if !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EACCES) || time.Since(begun) >= limit {
			by := unix.Flock_t{Type: unix.F_WRLCK}
			if unix.FcntlFlock(f.Fd(), unix.F_GETLK, &by) == nil && by.Type != unix.F_UNLCK {
				holder = int(by.Pid)
			}
			f.Close()
			return nil, holder, err
		}
	}
}
