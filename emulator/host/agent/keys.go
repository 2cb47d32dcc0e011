//go:build unix

package agent

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// maxKeys bounds, in bytes, an authorized_keys file.
const maxKeys = 256 << 10

// authorizedKeys reads the user's keys as sshd does with StrictModes: from files that nobody else may write.
func (s *server) authorizedKeys() ([]byte, error) {
	who, err := s.tree.Lookup(s.user)
	if err != nil {
		return nil, err
	}
	home := s.tree.Path(who.Home)
	var keys []byte
	for _, name := range []string{"authorized_keys", "authorized_keys2"} {
		data, err := readStrict(home, filepath.Join(home, ".ssh"), filepath.Join(home, ".ssh", name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		keys = append(append(keys, data...), '\n')
	}
	return keys, nil
}

// readStrict reads the last of paths if none of them is writable for others.
func readStrict(paths ...string) ([]byte, error) {
	for _, path := range paths[:len(paths)-1] {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if info.Mode().Perm()&0o022 != 0 {
			return nil, fmt.Errorf("authentication refused: bad ownership or modes for %s", path)
		}
	}
	path := paths[len(paths)-1]
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a fifo must not hold us
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("authentication refused: bad ownership or modes for %s", path)
	}
	return io.ReadAll(io.LimitReader(f, maxKeys))
}
