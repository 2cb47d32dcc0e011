package audit

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/azlin-dev/azlin/internal/atomicfile"
)

// Report is the result of Verify.
type Report struct {
	Records int    // valid records before the first broken one
	Broken  int    // number of the first broken line, from 1; 0: none
	Reason  string // what is wrong with it
}

// OK reports whether the log is intact.
func (r Report) OK() bool { return r.Broken == 0 }

// Verify reads the whole log and reports the first line that was edited, is not a record, or has lines missing before it.
// Lines removed from the end are detected by the head file; rewriting both the log and the head file is not detected. An
// absent log is intact, unless its head file records lines.
func (l *Log) Verify(ctx context.Context) (Report, error) {
	var rep Report
	if _, err := os.Stat(l.path); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(headPath(l.path)); errors.Is(err, fs.ErrNotExist) {
			return rep, nil
		}
	}
	err := atomicfile.Locked(ctx, l.path, func() error {
		h, err := readHead(l.path)
		if err != nil {
			return err
		}
		rep, err = l.verify(h)
		return err
	})
	if err != nil {
		return rep, fmt.Errorf("verify the audit log: %w", err)
	}
	return rep, nil
}

func (l *Log) verify(h head) (Report, error) {
	var rep Report
	previous := genesis
	var size int64
	atHead := h.Size == 0
	err := l.lines(func(n int, line []byte, whole bool) error {
		broken := func(reason string) error {
			rep.Broken, rep.Reason = n, reason
			return errStop
		}
		if !whole {
			return broken("the line is not finished")
		}
		r, err := Parse(line)
		if err != nil {
			return broken(err.Error())
		}
		if r.Previous != previous {
			return broken("it does not follow the line before it: that one was edited, or lines are missing between them")
		}
		previous = hashOf(line)
		size += int64(len(line)) + 1
		if size == h.Size {
			if previous != h.Hash {
				return broken("it is not the line that was written here")
			}
			atHead = true
		}
		rep.Records = n
		return nil
	})
	if err != nil {
		return rep, err
	}
	if rep.Broken == 0 && !atHead {
		rep.Broken = rep.Records + 1
		rep.Reason = fmt.Sprintf("the log ends after %d records, but had %d", rep.Records, h.Records)
	}
	return rep, nil
}

// Read calls f for each record, oldest first, and stops at f's first error, which it returns.
// A line that is not a record ends it with ErrMalformed and the line's number. An absent log has no
// records.
func (l *Log) Read(f func(Record) error) error {
	return l.lines(func(n int, line []byte, _ bool) error {
		r, err := Parse(line)
		if err != nil {
			return fmt.Errorf("%s line %d: %w", l.path, n, err)
		}
		return f(r)
	})
}

// errStop ends lines without an error.
var errStop = errors.New("stop")

// lines calls f with each line and whether it ended in a newline.
func (l *Log) lines(f func(n int, line []byte, whole bool) error) (err error) {
	file, err := atomicfile.Open(l.path, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	r := bufio.NewReaderSize(file, maxLine+2)
	for n := 1; ; n++ {
		line, readErr := r.ReadSlice('\n')
		if len(line) == 0 && errors.Is(readErr, io.EOF) {
			return nil
		}
		if readErr != nil && !errors.Is(readErr, io.EOF) && !errors.Is(readErr, bufio.ErrBufferFull) {
			return readErr
		}
		whole := bytes.HasSuffix(line, []byte{'\n'})
		if err := f(n, bytes.TrimSuffix(line, []byte{'\n'}), whole); err != nil {
			if errors.Is(err, errStop) {
				return nil
			}
			return err
		}
		if errors.Is(readErr, io.EOF) {
			return nil
		}
	}
}
