//go:build !windows

package atomicfile

import "os"

// syncDir makes the rename itself durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	if err := d.Sync(); err != nil {
		_ = d.Close() // the sync error is the important one
		return err
	}
	return d.Close()
}
