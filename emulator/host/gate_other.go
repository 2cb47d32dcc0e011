//go:build !linux

package host

import (
	"net"
	"time"
)

// maxHeld is how many clients a shut gate keeps waiting.
const maxHeld = 256

// shut makes clients wait: they are accepted and never answered, since only Linux drops what overflows a queue.
func (g *gate) shut() error {
	if err := g.listener.SetDeadline(time.Time{}); err != nil {
		return err
	}
	g.accepted.Go(func() {
		var held []net.Conn
		defer func() {
			for _, c := range held {
				c.Close()
			}
		}()
		for {
			conn, err := g.listener.Accept()
			if err != nil {
				return
			}
			if held = append(held, conn); len(held) > maxHeld {
				held[0].Close()
				held = held[1:]
			}
		}
	})
	return nil
}

func (g *gate) reopen() error {
	if err := g.listener.SetDeadline(time.Unix(1, 0)); err != nil { // accept returns
		return err
	}
	g.accepted.Wait()
	return g.listener.SetDeadline(time.Time{})
}
