//go:build !unix

package guest

import (
	"errors"
	"os"

	"github.com/azlin-dev/azlin/emulator/host/wire"
)

func takeTerminal(files []*os.File) (*os.File, error) {
	closeAll(files)
	return nil, errors.ErrUnsupported
}

// Resize changes the size of a command's terminal.
func (p *Process) Resize(wire.Size) error { return errors.ErrUnsupported }
