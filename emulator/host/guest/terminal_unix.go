//go:build unix

package guest

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/creack/pty"
	"golang.org/x/term"

	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// takeTerminal makes a pollable file of the one that came, if it is a terminal: on anything else reads or
// writes could do what nobody asked for.
func takeTerminal(files []*os.File) (*os.File, error) {
	defer closeAll(files)
	if len(files) != 1 || !term.IsTerminal(int(files[0].Fd())) {
		return nil, errors.New("the VM's agent sent no terminal")
	}
	fd, err := syscall.Dup(int(files[0].Fd()))
	if err != nil {
		return nil, fmt.Errorf("take terminal: %w", err)
	}
	syscall.CloseOnExec(fd)
	if err := syscall.SetNonblock(fd, true); err != nil {
		syscall.Close(fd)
		return nil, fmt.Errorf("take terminal: %w", err)
	}
	return os.NewFile(uintptr(fd), "terminal"), nil
}

// Resize changes the size of a command's terminal.
func (p *Process) Resize(size wire.Size) error {
	return pty.Setsize(p.Terminal, &pty.Winsize{Rows: size.Rows, Cols: size.Columns})
}
