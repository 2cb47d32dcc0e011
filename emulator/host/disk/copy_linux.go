package disk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// noWait keeps the opening of a pipe that took a file's place from waiting for its other end.
const noWait = unix.O_NONBLOCK

// fileID names a file that may have several names.
type fileID struct{ dev, ino uint64 }

func linkedFile(info fs.FileInfo) (fileID, bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fileID{}, false
	}
	return fileID{uint64(st.Dev), st.Ino}, st.Nlink > 1
}

// content copies what a file holds, and leaves its holes holes: a VM's file may be larger than the host's disk.
func content(to, from *os.File, size int64) error {
	for at := int64(0); at < size; {
		start, err := from.Seek(at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) { // nothing but a hole to the end
			break
		}
		if err != nil {
			return err
		}
		end, err := from.Seek(start, unix.SEEK_HOLE)
		if err != nil {
			return err
		}
		end = min(end, size)
		if end <= start {
			break
		}
		if _, err := from.Seek(start, io.SeekStart); err != nil {
			return err
		}
		if _, err := to.Seek(start, io.SeekStart); err != nil {
			return err
		}
		if _, err := io.CopyN(to, from, end-start); err != nil && !errors.Is(err, io.EOF) { // it may have become shorter
			return err
		}
		at = end
	}
	return to.Truncate(size)
}

// attributes copies extended attributes, among them those of overlayfs.
func attributes(from, to *os.File) error {
	names, err := listed(func(b []byte) (int, error) { return unix.Flistxattr(int(from.Fd()), b) })
	if errors.Is(err, unix.ENOTSUP) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list attributes: %w", err)
	}
	for name := range bytes.SplitSeq(names, []byte{0}) {
		if len(name) == 0 {
			continue
		}
		key := string(name)
		value, err := listed(func(b []byte) (int, error) { return unix.Fgetxattr(int(from.Fd()), key, b) })
		if err == nil {
			err = unix.Fsetxattr(int(to.Fd()), key, value, 0)
		}
		// Those of the system follow the rules of the file system that the copy lies on; those of users must be there.
		if err != nil && !errors.Is(err, unix.ENODATA) && strings.HasPrefix(key, "user.") {
			return fmt.Errorf("attribute %s: %w", key, err)
		}
	}
	return nil
}

// listed calls what fills a buffer, with one that is large enough.
func listed(fill func([]byte) (int, error)) ([]byte, error) {
	for size := 256; ; size *= 4 {
		b := make([]byte, size)
		n, err := fill(b)
		if errors.Is(err, unix.ERANGE) && size <= 1<<16 {
			continue
		}
		if err != nil {
			return nil, err
		}
		return b[:n], nil
	}
}

// special makes what is neither file nor directory nor link: pipes, sockets, and the mark by which an overlay knows that
// something of the lower directory was deleted, a character device 0:0. Other devices are not made.
func special(to *os.Root, name string, info fs.FileInfo) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	kind := st.Mode & unix.S_IFMT
	if kind != unix.S_IFIFO && kind != unix.S_IFSOCK && (kind != unix.S_IFCHR || st.Rdev != 0) {
		return nil
	}
	d, err := to.Open(".")
	if err != nil {
		return err
	}
	defer d.Close()
	if err := unix.Mknodat(int(d.Fd()), name, st.Mode&(unix.S_IFMT|0o777), 0); err != nil || kind == unix.S_IFCHR {
		return err
	}
	return finish(to, name, info)
}
