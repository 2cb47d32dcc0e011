package guest

import (
	"context"
	"errors"
	"net"
	"os"

	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// Listener is a Unix socket inside a VM.
type Listener struct {
	// Path is the socket's name inside the VM.
	Path string

	call *wire.Conn
}

// Listen makes a Unix socket as user; with an empty path, one for a forwarded ssh-agent.
func (g *Guest) Listen(ctx context.Context, user, path string) (*Listener, error) {
	call, err := g.call(user, wire.Request{Op: wire.OpListen, Path: path})
	if err != nil {
		return nil, err
	}
	event, files, err := answer(ctx, call)
	closeAll(files)
	if err != nil {
		call.Close()
		return nil, err
	}
	return &Listener{Path: event.Path, call: call}, nil
}

// Accept returns the next connection.
func (l *Listener) Accept() (net.Conn, error) {
	var event wire.Event
	files, err := l.call.Receive(&event)
	if err != nil {
		return nil, err
	}
	return takeSocket(event, files)
}

// Close removes the socket.
func (l *Listener) Close() error { return l.call.Close() }

// Dial connects as user to a Unix socket inside.
func (g *Guest) Dial(ctx context.Context, user, path string) (net.Conn, error) {
	call, err := g.call(user, wire.Request{Op: wire.OpDial, Path: path})
	if err != nil {
		return nil, err
	}
	defer call.Close()
	event, files, err := answer(ctx, call)
	if err != nil {
		return nil, err
	}
	return takeSocket(event, files)
}

// takeSocket makes a connection of the one file that came; whatever else it may be is refused.
func takeSocket(event wire.Event, files []*os.File) (net.Conn, error) {
	defer closeAll(files)
	if !event.Connected || len(files) != 1 {
		return nil, errors.New("the VM's agent sent no connection")
	}
	c, err := net.FileConn(files[0])
	if err != nil {
		return nil, err
	}
	if _, ok := c.(*net.UnixConn); !ok {
		c.Close()
		return nil, errors.New("the VM's agent sent something else than a unix socket")
	}
	return c, nil
}
