package config

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/atomicfile"
	"github.com/azlin-dev/azlin/internal/tomledit"
)

// readDocument reads a TOML file; an absent one is an empty document.
func readDocument(name string, class error) (*tomledit.Document, error) {
	data, err := atomicfile.Read(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, &errkind.Error{Kind: errkind.Invalid, Op: "read", Resource: name, Class: class, Err: err}
	}
	return parseDocument(name, data, class)
}

func parseDocument(name string, data []byte, class error) (*tomledit.Document, error) {
	d, err := tomledit.Parse(data)
	if err == nil {
		return d, nil
	}
	if wrong, ok := errors.AsType[*tomledit.Error](err); ok {
		name, err = place(name, wrong.Line, wrong.Column), errors.New(wrong.Message)
	}
	return nil, &errkind.Error{Kind: errkind.Invalid, Op: "read", Resource: name, Class: class, Err: err}
}

// place formats a position as editors and compilers do.
func place(name string, line, column int) string { return fmt.Sprintf("%s:%d:%d", name, line, column) }

// placeOf is the position of path in d.
func placeOf(name string, d *tomledit.Document, path ...string) string {
	line, column := d.Position(path...)
	return place(name, line, column)
}

// wrongValue is the error for a value of the wrong type.
func wrongValue(name string, d *tomledit.Document, class, err error, path ...string) error {
	return &errkind.Error{
		Kind: errkind.Invalid, Op: "read", Resource: placeOf(name, d, path...), Class: class,
		Err: fmt.Errorf("%s: %w", strings.Join(path, "."), err),
	}
}

// inOrder returns the keys of the table at path in the order of the file, so that the first of several errors is reported.
func inOrder(d *tomledit.Document, table map[string]any, path ...string) []string {
	type key struct {
		name         string
		line, column int
	}
	var keys []key
	for _, name := range slices.Sorted(maps.Keys(table)) {
		line, column := d.Position(slices.Concat(path, []string{name})...)
		keys = append(keys, key{name, line, column})
	}
	slices.SortStableFunc(keys, func(a, b key) int {
		if a.line != b.line {
			return a.line - b.line
		}
		return a.column - b.column
	})
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	return names
}

// lockTimeout is how long an edit waits for other processes, whose edits take milliseconds.
const lockTimeout = 30 * time.Second

// editDocument changes a TOML file under its lock: edit gets the current document and returns the new one. An invalid file
// is not changed.
func editDocument(ctx context.Context, name string, class error, edit func(*tomledit.Document) (*tomledit.Document, error)) error {
	return replaceDocument(ctx, name, class, func(old []byte) (*tomledit.Document, error) {
		d, err := parseDocument(name, old, class)
		if err != nil {
			return nil, err
		}
		return edit(d)
	})
}

// replaceDocument writes the result of edit for the current text, under the file's lock. Nothing is written when the text is
// unchanged, or on an error. A symbolic link is kept.
func replaceDocument(ctx context.Context, name string, class error, edit func(old []byte) (*tomledit.Document, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, lockTimeout,
		errkind.New(errkind.Conflict, "another process holds %s.lock", name))
	defer cancel()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return &errkind.Error{Kind: errkind.Prerequisite, Op: "change", Resource: name, Class: class, Err: err}
	}
	target, err := atomicfile.Target(name)
	if err != nil {
		return &errkind.Error{Kind: errkind.Prerequisite, Op: "change", Resource: name, Class: class, Err: err}
	}
	err = atomicfile.Update(ctx, target, 0o600, func(old []byte) ([]byte, error) {
		changed, err := edit(old)
		if err != nil {
			return nil, err
		}
		if data := changed.Bytes(); !bytes.Equal(data, old) {
			return append(make([]byte, 0, 1), data...), nil // not nil when it is empty
		}
		return nil, nil
	})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		err = context.Cause(ctx)
	case errors.Is(err, tomledit.ErrShape):
		err = &errkind.Error{Kind: errkind.Invalid, Err: err}
	}
	if errors.Is(err, class) {
		return err
	}
	return &errkind.Error{Op: "change", Resource: name, Class: class, Err: err}
}
