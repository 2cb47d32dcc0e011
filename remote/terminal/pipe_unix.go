//go:build !windows

package terminal

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"
	"time"
)

// pipe is a named pipe from which a window's shell reads its script.
type pipe struct{ path string }

func newPipe(path string) (pipe, error) { return pipe{path}, syscall.Mkfifo(path, 0o600) }

// hand waits for a reader of the pipe, and writes. When refused is closed, there will be no reader.
func (p pipe) hand(ctx context.Context, script string, refused <-chan struct{}) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		f, err := os.OpenFile(p.path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err == nil {
			defer f.Close()
			_, err := io.WriteString(f, script)
			return err
		}
		if !errors.Is(err, syscall.ENXIO) { // no reader yet
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-refused:
			return errors.New("it ended without opening one")
		case <-tick.C:
		}
	}
}
