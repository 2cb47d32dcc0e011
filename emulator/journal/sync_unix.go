//go:build !windows

package journal

import (
	"errors"
	"os"
)

// syncDir makes files that were made or renamed durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
