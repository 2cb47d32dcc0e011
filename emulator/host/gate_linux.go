package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// plugTimeout is how long a connection to oneself may take; one that takes longer found the queue full.
const plugTimeout = 20 * time.Millisecond

// maxPlugs is how many connections a queue of length 0 holds at most, with room to spare.
const maxPlugs = 8

// shut turns the socket into a black hole: with its accept queue full, Linux drops the packets that would open
// another connection, and the client waits until it times out.
func (g *gate) shut() error {
	if err := g.backlog(0); err != nil {
		return err
	}
	if err := g.drain(); err != nil {
		return err
	}
	for range maxPlugs {
		d := net.Dialer{Timeout: plugTimeout}
		conn, err := d.DialContext(context.Background(), "tcp", g.listener.Addr().String())
		var failure net.Error
		switch {
		case err == nil:
			g.plugs = append(g.plugs, conn)
		case errors.As(err, &failure) && failure.Timeout():
			return nil
		default:
			return fmt.Errorf("shut %s: %w", g.listener.Addr(), err)
		}
	}
	return fmt.Errorf("shut %s: the queue of the listening socket does not fill", g.listener.Addr())
}

// reopen makes the socket a normal one. The connections in its queue are our own.
func (g *gate) reopen() error {
	g.unplug()
	if err := g.drain(); err != nil {
		return err
	}
	if err := g.listener.SetDeadline(time.Time{}); err != nil {
		return err
	}
	return g.backlog(unix.SOMAXCONN)
}

// drain closes what waits in the queue.
func (g *gate) drain() error {
	for {
		if err := g.listener.SetDeadline(time.Now().Add(time.Millisecond)); err != nil {
			return err
		}
		conn, err := g.listener.Accept()
		if err != nil {
			return nil
		}
		conn.Close()
	}
}

func (g *gate) backlog(n int) error {
	raw, err := g.listener.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = unix.Listen(int(fd), n) }); err != nil {
		return err
	}
	if failed != nil {
		return fmt.Errorf("set backlog: %w", failed)
	}
	return nil
}
