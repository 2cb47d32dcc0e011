package history

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/azlin-dev/azlin/internal/atomicfile"
)

// line is one line of the file.
type line struct {
	Event event `json:"event"`
	Connection
}

type event string

const (
	started event = "start"
	ended   event = "end"
)

// maxLine limits a line, so that a damaged file cannot fill the memory.
const maxLine = 64 << 10

// write appends a line under the lock.
func (l Log) write(ctx context.Context, ln line) error {
	data, err := json.Marshal(ln)
	if err != nil {
		return err
	}
	if len(data) > maxLine {
		return errors.New("the record is too long")
	}
	if err := os.MkdirAll(filepath.Dir(l.Path), 0o700); err != nil {
		return err
	}
	return atomicfile.Locked(ctx, l.Path, func() error { return l.writeLocked(append(data, '\n')) })
}

func (l Log) writeLocked(data []byte) (err error) {
	limit := l.MaxBytes
	if limit == 0 {
		limit = DefaultMaxBytes
	}
	if info, err := os.Stat(l.Path); err == nil && info.Size() > 0 && info.Size()+int64(len(data)) > limit {
		if err := os.Rename(l.Path, l.older()); err != nil {
			return err
		}
	}
	f, err := atomicfile.Open(l.Path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if size := info.Size(); size > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, size-1); err != nil {
			return err
		}
		if last[0] != '\n' { // the last writer died; its incomplete line must not spoil ours
			data = append([]byte{'\n'}, data...)
		}
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Sync()
}

// readLines returns the readable lines; an absent file has none.
func readLines(name string) ([]line, error) {
	f, err := atomicfile.Open(name, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var lines []line
	r := bufio.NewReaderSize(f, maxLine)
	for {
		text, err := r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			continue // the rest of this line will not parse
		}
		if ln, ok := parseLine(text); ok {
			lines = append(lines, ln)
		}
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// parseLine parses one line; ok is false when it is not a complete record.
func parseLine(text []byte) (ln line, ok bool) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 || json.Unmarshal(text, &ln) != nil || ln.ID == "" {
		return line{}, false
	}
	switch ln.Event {
	case started:
		return ln, ln.VM != "" && !ln.Started.IsZero()
	case ended:
		return ln, ln.Ended != nil
	}
	return line{}, false
}
