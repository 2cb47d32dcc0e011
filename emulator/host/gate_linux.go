package host

import (
	"context"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// maxPlugs is how many connections a queue of length 0 holds at most, with room to spare.
const maxPlugs = 8

// shut turns the socket into a black hole: with its accept queue full, Linux drops the packets that would open
// another connection, and the client waits until it times out.
func (g *gate) shut() error {
	if err := g.control(func(fd int) error { return unix.Listen(fd, 0) }); err != nil {
		return err
	}
	if err := g.drain(); err != nil {
		return err
	}
	for range maxPlugs {
		d := net.Dialer{Timeout: time.Second}
		conn, dialErr := d.DialContext(context.Background(), "tcp", g.listener.Addr().String())
		if dialErr == nil {
			g.plugs = append(g.plugs, conn)
		}
		full, err := g.full()
		switch {
		case full || err != nil: // by clients that came meanwhile, it may be
			return err
		case dialErr != nil:
			return fmt.Errorf("shut %s: %w", g.listener.Addr(), dialErr)
		}
	}
	return fmt.Errorf("shut %s: the queue of the listening socket does not fill", g.listener.Addr())
}

// full reports whether the accept queue takes no more. For a listening socket these fields of TCP_INFO are the
// length of the queue and its limit, which Linux lets it exceed by one.
func (g *gate) full() (bool, error) {
	var info *unix.TCPInfo
	err := g.control(func(fd int) (err error) {
		info, err = unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		return err
	})
	return err == nil && info.Unacked > info.Sacked, err
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
	return g.control(func(fd int) error { return unix.Listen(fd, unix.SOMAXCONN) })
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

// control calls f with the listening socket.
func (g *gate) control(f func(fd int) error) error {
	raw, err := g.listener.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = f(int(fd)) }); err != nil {
		return err
	}
	return failed
}
