package config

import (
	"bytes"
	"context"
	"errors"
	"io/fs"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/atomicfile"
	"github.com/azlin-dev/azlin/internal/tomledit"
)

// Read returns the file's text; an absent file is empty.
func (f File) Read() ([]byte, error) {
	data, err := atomicfile.Read(f.Path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, &errkind.Error{Kind: errkind.Invalid, Op: "read", Resource: f.Path, Class: ErrConfig, Err: err}
	}
	return data, nil
}

// Replace replaces the file's whole content by text, if text is a valid configuration and the file still contains old. draft
// is the name of text in errors.
func (f File) Replace(ctx context.Context, draft string, old, text []byte) error {
	d, err := parseDocument(draft, text, ErrConfig)
	if err != nil {
		return err
	}
	if _, err := decodeConfig(draft, d); err != nil {
		return err
	}
	return replaceDocument(ctx, f.Path, ErrConfig, func(now []byte) (*tomledit.Document, error) {
		if !bytes.Equal(now, old) {
			return nil, errkind.New(errkind.Conflict, "somebody else changed it meanwhile")
		}
		return d, nil
	})
}
