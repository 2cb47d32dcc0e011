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

// pipe is a named pipe from which a window's shell reads what it is to do.
type pipe struct{ path string }

func newPipe(path string) (pipe, error) { return pipe{path}, syscall.Mkfifo(path, 0o600) }

// hand waits until somebody reads from the pipe, and writes. refused, when it is closed, says that nobody will.
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
		if !errors.Is(err, syscall.ENXIO) { // that there is no reader yet
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
