package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrNotRegular is returned for a pipe, a socket, a device or a directory instead of a file. Reading a pipe could block
// forever.
var ErrNotRegular = errors.New("not a regular file")

// Read is os.ReadFile for a regular file or a link to one; anything else is an *fs.PathError with ErrNotRegular.
func Read(name string) ([]byte, error) {
	f, err := Open(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// Open is os.OpenFile for a regular file or a link to one; anything else is an *fs.PathError with ErrNotRegular.
func Open(name string, flag int, perm fs.FileMode) (*os.File, error) {
	// Without the flag, opening a pipe waits for its other end.
	f, err := os.OpenFile(name, flag|nonblocking, perm)
	if err != nil {
		// The system's error for a socket, or for a pipe without a reader, is not helpful.
		if judged := regular(name); judged != nil {
			return nil, judged
		}
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: name, Err: ErrNotRegular}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// regular returns an error only if something other than a file has this name.
func regular(name string) error {
	info, err := os.Stat(name)
	if err != nil || info.Mode().IsRegular() {
		return nil //nolint:nilerr // whoever opens the file reports it
	}
	return &fs.PathError{Op: "open", Path: name, Err: ErrNotRegular}
}

// maxLinks is how many symbolic links in a row Linux follows.
const maxLinks = 40

// Target is the file to which name leads through symbolic links, whether it exists or not. Write would replace the link.
func Target(name string) (string, error) {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		return real, nil
	}
	for range maxLinks {
		to, err := os.Readlink(name)
		if err != nil {
			return name, nil // not a link: it does not exist yet; other errors appear when it is read
		}
		if !filepath.IsAbs(to) {
			dir, err := filepath.EvalSymlinks(filepath.Dir(name)) // ".." is relative to the real directory
			if err != nil {
				return "", err
			}
			to = filepath.Join(dir, to)
		}
		name = to
	}
	return "", fmt.Errorf("%s: more than %d symbolic links", name, maxLinks)
}
