package journal

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strconv"
)

// Append adds changes. When it returns without an error they are on disk, twice.
func (l *Log) Append(records [][]byte) error {
	if len(records) == 0 {
		return nil
	}
	if l.files[0] == nil {
		return errors.New("append to the journal: there is no snapshot yet")
	}
	var data []byte
	for i, r := range records {
		data = appendLine(data, l.lines+i, r)
	}
	for _, f := range l.files {
		if err := put(f, data); err != nil {
			return fmt.Errorf("append to the journal: %w", err)
		}
	}
	l.lines += len(records)
	l.journal += int64(len(data))
	l.unsynced = true
	return nil
}

// Sync brings what was appended to the disk. Without it an append outlives the process, but not the machine.
func (l *Log) Sync() error {
	if !l.unsynced {
		return nil
	}
	for _, f := range l.files {
		if err := f.Sync(); err != nil {
			return fmt.Errorf("sync the journal: %w", err)
		}
	}
	l.unsynced = false
	return nil
}

func put(f *os.File, data []byte) error {
	_, err := f.Write(data)
	return err
}

// Snapshot begins a new generation with a whole state. The one before stays, those before that go.
func (l *Log) Snapshot(records iter.Seq[[]byte]) error {
	next := l.generation + 1
	size, err := l.writeSnapshot(next, records)
	if err != nil {
		return fmt.Errorf("write a snapshot: %w", err)
	}
	first := appendLine(nil, 0, header(kindJournal, l.version, next))
	var files [2]*os.File
	for i, suffix := range []string{journalSuffix, copySuffix} {
		f, err := os.OpenFile(l.name(next, suffix), os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
		if err == nil {
			files[i] = f
			if err = put(f, first); err == nil {
				err = f.Sync()
			}
		}
		if err != nil {
			for _, f := range files {
				if f != nil {
					_ = f.Close() // the first error is the one that matters
				}
			}
			return fmt.Errorf("write a snapshot: %w", err)
		}
	}
	if err := syncDir(l.dir); err != nil {
		return fmt.Errorf("write a snapshot: %w", err)
	}
	before := l.files
	l.files, l.generation, l.lines, l.snapshot, l.journal = files, next, 1, size, 0
	for _, f := range before {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}
	return errors.Join(err, l.forget(next-2))
}

// writeSnapshot makes the file appear whole, or not at all.
func (l *Log) writeSnapshot(generation int, records iter.Seq[[]byte]) (size int64, err error) {
	return size, replace(l.name(generation, snapshotSuffix), func(w io.Writer) error {
		data := appendLine(nil, 0, header(kindSnapshot, l.version, generation))
		n := 0
		flush := func() error {
			size += int64(len(data))
			_, err := w.Write(data)
			data = data[:0]
			return err
		}
		for r := range records {
			n++
			if data = appendLine(data, n, r); len(data) > 1<<20 {
				if err := flush(); err != nil {
					return err
				}
			}
		}
		data = appendLine(data, n+1, []byte(endMark+" "+strconv.Itoa(n)))
		return flush()
	})
}

// forget removes a generation and those before it.
func (l *Log) forget(generation int) (err error) {
	for old := generation; old > 0; old-- {
		gone := 0
		for _, suffix := range []string{snapshotSuffix, journalSuffix, copySuffix} {
			rm := os.Remove(l.name(old, suffix))
			switch {
			case rm == nil:
				gone++
			case !errors.Is(rm, os.ErrNotExist):
				err = errors.Join(err, rm)
			}
		}
		if gone == 0 {
			break
		}
	}
	leftovers, globErr := filepath.Glob(filepath.Join(l.dir, ".snapshot-*"))
	for _, name := range leftovers {
		err = errors.Join(err, os.Remove(name)) // a crash left it
	}
	return errors.Join(err, globErr)
}

// Sizes are the bytes of the last snapshot and of what was appended since.
func (l *Log) Sizes() (snapshot, journal int64) { return l.snapshot, l.journal }

// Close lets go of the files.
func (l *Log) Close() (err error) {
	for i, f := range l.files {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
		l.files[i] = nil
	}
	return err
}
