package terminal

import (
	"context"
	"errors"
)

// pipe is unused on Windows itself, where Available is empty.
type pipe struct{ path string }

func newPipe(string) (pipe, error) {
	return pipe{}, errors.New("azlin opens windows on Linux, Windows Subsystem for Linux and macOS")
}

func (p pipe) hand(context.Context, string, <-chan struct{}) error { return errors.ErrUnsupported }
