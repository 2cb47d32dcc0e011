package guest

import (
	"fmt"
	"os"
)

// Pipes are the standard streams of a command.
type Pipes struct {
	// Stdin is to be written to, Stdout and Stderr to be read. Whoever holds the Pipes closes them.
	Stdin, Stdout, Stderr *os.File

	theirs [3]*os.File
}

// Close closes this side.
func (p *Pipes) Close() { closeAll([]*os.File{p.Stdin, p.Stdout, p.Stderr}) }

// pipes makes the streams. The command's side belongs to the VM's user, so that what is started there may open
// /dev/stderr and its like.
func (g *Guest) pipes() (*Pipes, error) {
	var ours [3]*os.File
	p := &Pipes{}
	for i := range ours {
		r, w, err := os.Pipe()
		if err == nil && g.uid != os.Geteuid() {
			err = w.Chown(g.uid, g.gid)
		}
		if err != nil {
			closeAll(append(ours[:i], p.theirs[:i]...))
			return nil, fmt.Errorf("make pipes: %w", err)
		}
		ours[i], p.theirs[i] = r, w
		if i == 0 {
			ours[i], p.theirs[i] = w, r
		}
	}
	p.Stdin, p.Stdout, p.Stderr = ours[0], ours[1], ours[2]
	return p, nil
}

// hide closes the command's side, of which it has its own copies.
func (p *Pipes) hide() { closeAll(p.theirs[:]) }
