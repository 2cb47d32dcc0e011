package journal

import (
	"io"
	"os"
	"path/filepath"
)

// WriteFile replaces a file, readable by its owner only, so that a reader or a crash sees the old content or the new.
func WriteFile(name string, data []byte) error {
	err := replace(name, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

// replace is WriteFile for what is written piece by piece. The directory is not made durable.
func replace(name string, write func(io.Writer) error) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tmp.Close()           // the first error is the one that matters
			_ = os.Remove(tmp.Name()) // as above
		}
	}()
	if err = write(tmp); err != nil {
		return err
	}
	if err = tmp.Sync(); err != nil {
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}
