package terminal

import (
	"context"
	"errors"
)

// pipe has nothing to stand for on Windows itself, where Available has nothing to offer either.
type pipe struct{ path string }

func newPipe(string) (pipe, error) {
	return pipe{}, errors.New("azlin opens windows on Linux, Windows Subsystem for Linux and macOS")
}

func (p pipe) hand(context.Context, string, <-chan struct{}) error { return errors.ErrUnsupported }
