package term

import (
	"os"

	"golang.org/x/sys/unix"
)

// DiscardTyped forgets what was typed and nobody has read yet: it was meant for somebody who is gone.
func (s Streams) DiscardTyped() {
	if file, ok := s.In.(*os.File); ok && s.InTTY {
		_ = unix.IoctlSetInt(int(file.Fd()), unix.TCFLSH, unix.TCIFLUSH) // the terminal may be gone
	}
}
