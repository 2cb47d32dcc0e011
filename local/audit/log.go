package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/atomicfile"
)

// genesis is the previous hash in the first record.
var genesis = strings.Repeat("0", 2*sha256.Size)

// Log appends records to one file. It keeps no file open and is safe for concurrent use by goroutines and processes.
type Log struct {
	path string
}

// Open returns the log at path. The file and its directory are made by the first Append.
func Open(path string) *Log { return &Log{path: path} }

// Path is the file's path.
func (l *Log) Path() string { return l.path }

// head holds the length of the log, to detect lines removed from its end.
type head struct {
	Records int    `json:"records"`
	Size    int64  `json:"size"`
	Hash    string `json:"hash"` // of the last line
}

// Append adds r to the log and syncs it. It waits for other writers until ctx ends.
func (l *Log) Append(ctx context.Context, r Record) error {
	if r.Event == "" || r.Status == "" {
		return errkind.New(errkind.Invalid, "append to the audit log: a record needs an event and a status")
	}
	if r.Time.IsZero() {
		r.Time = time.Now()
	}
	r.Time = r.Time.UTC()
	if err := os.MkdirAll(filepath.Dir(l.path), 0o700); err != nil {
		return fmt.Errorf("append to the audit log: %w", err)
	}
	err := atomicfile.Locked(ctx, l.path, func() error { return l.append(r) })
	if err != nil {
		return fmt.Errorf("append to the audit log: %w", err)
	}
	return nil
}

// append must be called with the lock held.
func (l *Log) append(r Record) (err error) {
	h, err := readHead(l.path)
	if err != nil {
		return err
	}
	f, err := atomicfile.Open(l.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	size := info.Size()
	switch {
	case size > h.Size:
		// A writer died between writing the line and the head. The line counts if it is complete.
		if h, err = catchUp(f, h, size); err != nil {
			return err
		}
		if err := f.Truncate(h.Size); err != nil { // an incomplete line was never confirmed to a caller
			return err
		}
		size = h.Size
	case size < h.Size:
		// Lines are missing. The next record uses the head's hash, which no line has any more, so that the gap stays
		// visible.
		h.Size = size
	}
	r.Previous = h.Hash
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if len(line) > maxLine {
		return fmt.Errorf("record of %d bytes is too long", len(line))
	}
	written := append(slices.Clone(line), '\n')
	last := []byte{'\n'}
	if size > 0 {
		if _, err := f.ReadAt(last, size-1); err != nil {
			return err
		}
	}
	if last[0] != '\n' { // keep the rest of a damaged line visible, on its own line
		written = append([]byte{'\n'}, written...)
	}
	if _, err := f.WriteAt(written, size); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return writeHead(l.path, head{Records: h.Records + 1, Size: size + int64(len(written)), Hash: hashOf(line)})
}

// catchUp advances h over the complete lines between it and the end of the file.
func catchUp(f *os.File, h head, size int64) (head, error) {
	rest := make([]byte, size-h.Size)
	if _, err := f.ReadAt(rest, h.Size); err != nil && !errors.Is(err, io.EOF) {
		return h, err
	}
	for {
		line, after, whole := bytes.Cut(rest, []byte{'\n'})
		if !whole {
			return h, nil
		}
		h = head{Records: h.Records + 1, Size: h.Size + int64(len(line)) + 1, Hash: hashOf(line)}
		rest = after
	}
}

func hashOf(line []byte) string {
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:])
}

func headPath(path string) string { return path + ".head" }

// readHead returns the head of an empty log when there is no head file.
func readHead(path string) (head, error) {
	h := head{Hash: genesis}
	data, err := atomicfile.Read(headPath(path))
	if errors.Is(err, fs.ErrNotExist) {
		return h, nil
	}
	if err != nil {
		return h, err
	}
	if err := json.Unmarshal(data, &h); err != nil || h.Size < 0 || len(h.Hash) != len(genesis) {
		return h, fmt.Errorf("%s is damaged; move it away with the log and start a new one", headPath(path))
	}
	return h, nil
}

func writeHead(path string, h head) error {
	data, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return atomicfile.Write(headPath(path), append(data, '\n'), 0o600)
}
