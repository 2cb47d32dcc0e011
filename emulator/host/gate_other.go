//go:build !linux

package host

import (
	"net"
	"time"
)

// shut makes clients wait: they are accepted and never answered, since only Linux drops what overflows a queue.
func (g *gate) shut() error {
	if err := g.listener.SetDeadline(time.Time{}); err != nil {
		return err
	}
	g.accepted.Go(func() {
		for {
			conn, err := g.listener.Accept()
			if err != nil {
				return
			}
			g.mu.Lock()
			g.plugs = append(g.plugs, net.Conn(conn))
			g.mu.Unlock()
		}
	})
	return nil
}

func (g *gate) reopen() error {
	g.unplug()
	return g.listener.SetDeadline(time.Time{})
}
