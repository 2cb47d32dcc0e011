package journal

import (
	"fmt"
	"io/fs"
	"os"
)

// ReadFile reads a file of the state. What is no file is refused: a pipe in its place would be waited for, for ever.
func ReadFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file: %w", name, fs.ErrInvalid)
	}
	return os.ReadFile(name)
}
