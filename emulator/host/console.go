package host

import (
	"slices"
	"sync"
)

// maxConsole is how many bytes of a serial console are kept.
const maxConsole = 256 << 10

// console keeps the end of what a VM printed.
type console struct {
	mu  sync.Mutex
	log []byte
}

func (c *console) write(p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = append(c.log, p...)
	if len(c.log) > 2*maxConsole { // not at each write: it moves all that stays
		c.log = slices.Delete(c.log, 0, len(c.log)-maxConsole)
	}
}

func (c *console) bytes() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.log[max(0, len(c.log)-maxConsole):])
}
