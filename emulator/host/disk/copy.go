// Package disk copies what VMs keep on their disks, which are directories that a VM may change while they are copied. So
// nothing is opened by a path that the VM could lead elsewhere: each file is opened below its directory's descriptor, and
// copied only if it still is what the directory said.
package disk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// maxDepth bounds how deeply directories are nested, as each level holds two descriptors.
const maxDepth = 200

// batch is how many entries of a directory are read at a time.
const batch = 1024

// Copy copies what lies below one directory into another one, which is empty, but for the names in skip. Links, modes, times,
// hard links, holes, extended attributes and the marks by which an overlay knows what was deleted are kept; files belong
// to the user who copies. What changes meanwhile may be there in part, as in a snapshot.
func Copy(ctx context.Context, from, to *os.Root, skip ...string) error {
	c := &copier{ctx: ctx, top: to, links: map[fileID]string{}}
	return c.dir(from, to, ".", 0, skip)
}

type copier struct {
	ctx   context.Context //nolint:containedctx // of this one copy
	top   *os.Root        // of the copy
	links map[fileID]string
}

// dir copies what is in a directory; at is its name below the top.
func (c *copier) dir(from, to *os.Root, at string, depth int, skip []string) error {
	if depth > maxDepth {
		return fmt.Errorf("%s: directories are nested more than %d deep", at, maxDepth)
	}
	d, err := from.Open(".")
	if err != nil {
		return err
	}
	defer d.Close()
	for {
		entries, err := d.ReadDir(batch)
		for _, e := range entries {
			if err := c.ctx.Err(); err != nil {
				return err
			}
			if slices.Contains(skip, e.Name()) {
				continue
			}
			if err := c.entry(from, to, e.Name(), filepath.Join(at, e.Name()), depth); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// entry copies one entry of a directory. A failure counts only while the entry is what it was.
func (c *copier) entry(from, to *os.Root, name, at string, depth int) error {
	info, err := from.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	switch {
	case info.IsDir():
		err = c.subdir(from, to, name, at, depth, info)
	case info.Mode().IsRegular():
		err = c.file(from, to, name, at, info)
	case info.Mode()&os.ModeSymlink != 0:
		var target string
		if target, err = from.Readlink(name); err == nil {
			return to.Symlink(target, name)
		}
	default:
		return special(to, name, info)
	}
	if err == nil || errors.Is(err, errSwapped) || errors.Is(err, fs.ErrExist) { // a directory that changes may list a name twice
		return nil
	}
	if now, gone := from.Lstat(name); gone != nil || !os.SameFile(now, info) {
		return nil
	}
	return fmt.Errorf("%s: %w", at, err)
}

// errSwapped says that a name led to something else than a moment ago.
var errSwapped = errors.New("changed while it was opened")

// swapped turns a failure to open a name into errSwapped when the name must have been something else for a moment, even if
// it is back by now: a link that leads out, nothing at all, a file in place of a directory.
func swapped(err error) error {
	errno, ok := errors.AsType[syscall.Errno](err)
	switch errno {
	case syscall.ENOENT, syscall.ELOOP, syscall.ENOTDIR, syscall.EISDIR, syscall.ENXIO:
		return errors.Join(errSwapped, err)
	}
	if !ok { // os.Root refuses what leads out with an error of its own
		return errors.Join(errSwapped, err)
	}
	return err
}

func (c *copier) subdir(from, to *os.Root, name, at string, depth int, info fs.FileInfo) error {
	source, err := from.OpenRoot(name)
	if err != nil {
		return swapped(err)
	}
	defer source.Close()
	if now, err := source.Stat("."); err != nil || !os.SameFile(now, info) {
		return errors.Join(errSwapped, err)
	}
	if err := to.Mkdir(name, 0o700); err != nil {
		return err
	}
	target, err := to.OpenRoot(name)
	if err != nil {
		return err
	}
	defer target.Close()
	if err := c.dir(source, target, at, depth+1, nil); err != nil {
		return err
	}
	if err := dirAttributes(source, target); err != nil {
		return err
	}
	return finish(to, name, info)
}

func (c *copier) file(from, to *os.Root, name, at string, info fs.FileInfo) error {
	id, linked := linkedFile(info)
	if linked {
		if first, ok := c.links[id]; ok {
			return c.top.Link(first, at)
		}
	}
	source, err := from.OpenFile(name, os.O_RDONLY|noWait, 0)
	if err != nil {
		return swapped(err)
	}
	defer source.Close()
	if now, err := source.Stat(); err != nil || !os.SameFile(now, info) {
		return errors.Join(errSwapped, err)
	}
	target, err := to.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(content(target, source, info.Size()), attributes(source, target), target.Close()); err != nil {
		return err
	}
	if linked {
		c.links[id] = at
	}
	return finish(to, name, info)
}

// finish gives a copy its mode and time, when nothing more is written to it.
func finish(to *os.Root, name string, info fs.FileInfo) error {
	if err := to.Chtimes(name, info.ModTime(), info.ModTime()); err != nil {
		return err
	}
	return to.Chmod(name, info.Mode()&(fs.ModePerm|fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky))
}

func dirAttributes(from, to *os.Root) error {
	source, err := from.Open(".")
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := to.Open(".")
	if err != nil {
		return err
	}
	defer target.Close()
	return attributes(source, target)
}
