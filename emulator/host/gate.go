package host

import (
	"context"
	"errors"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// gate is the listener of one address: open, it hands clients to a function; shut, it is a black hole. The
// socket stays the same, so that a client that retries while the gate opens gets through.
type gate struct {
	listener *net.TCPListener
	handle   func(net.Conn)

	mu       sync.Mutex
	open     bool
	plugs    []net.Conn // connections to ourselves that fill the queue of a shut gate
	accepted sync.WaitGroup
}

// openGate binds an address.
func openGate(address string, open bool, handle func(net.Conn)) (*gate, error) {
	l, err := bind(address)
	if err != nil {
		return nil, err
	}
	g := &gate{listener: l.(*net.TCPListener), handle: handle, open: open}
	if open {
		g.accepted.Go(g.accept)
		return g, nil
	}
	if err := g.shut(); err != nil {
		l.Close()
		return nil, err
	}
	return g, nil
}

// bindTries is how often an address is tried that is in use: another emulator may be looking whether it is free (Free),
// for a moment.
const bindTries = 25

func bind(address string) (net.Listener, error) {
	var lc net.ListenConfig
	for try := 1; ; try++ {
		l, err := lc.Listen(context.Background(), "tcp", address)
		if err == nil || try == bindTries || !errors.Is(err, syscall.EADDRINUSE) {
			return l, err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// admit opens or shuts the gate. Connections that are through stay.
func (g *gate) admit(open bool) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if open == g.open {
		return nil
	}
	g.open = open
	if !open {
		_ = g.listener.SetDeadline(time.Unix(1, 0)) // accept returns
		g.accepted.Wait()
		return g.shut()
	}
	if err := g.reopen(); err != nil {
		return err
	}
	g.accepted.Go(g.accept)
	return nil
}

// accept takes clients until the gate shuts or closes.
func (g *gate) accept() {
	for {
		conn, err := g.listener.Accept()
		var transient net.Error
		switch {
		case err == nil:
			go g.handle(conn)
		case errors.Is(err, net.ErrClosed), errors.As(err, &transient) && transient.Timeout():
			return
		default:
			time.Sleep(10 * time.Millisecond) // out of descriptors: others will be closed
		}
	}
}

// close frees the address.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.listener.Close()
	g.unplug()
	g.accepted.Wait()
}

func (g *gate) unplug() {
	for _, c := range g.plugs {
		c.Close()
	}
	g.plugs = nil
}

// The ports on which SSH may be answered.
const (
	standardPort   = 22
	unprivileged   = 2222
	probingAddress = "127.77.255.254"
)

// choosePort returns the standard port if this user may listen there.
func choosePort() int {
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", net.JoinHostPort(probingAddress, strconv.Itoa(standardPort)))
	if err != nil {
		return unprivileged
	}
	l.Close()
	return standardPort
}
