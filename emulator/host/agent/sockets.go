//go:build unix

package agent

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// listen makes a Unix socket for the user and hands over its connections until the call ends. Without a name it
// is one like ssh-agent's, in a directory of its own.
func (s *server) listen(call *wire.Conn, path string) error {
	if path == "" {
		dir, err := os.MkdirTemp(s.tree.Path("tmp"), "ssh-")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }() // below the VM's /tmp, which each boot empties
		path = filepath.Join(dir, fmt.Sprintf("agent.%d", os.Getpid()))
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return err
	}
	defer l.Close()
	if err := os.Chmod(path, 0o600); err != nil {
		return err
	}
	if err := call.Send(wire.Event{Path: path}); err != nil {
		return nil
	}
	go func() {
		defer l.Close()
		for {
			files, err := call.Receive(&struct{}{})
			wire.CloseFiles(files)
			if err != nil {
				return
			}
		}
	}()
	for {
		conn, err := l.AcceptUnix()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := handOver(call, conn); err != nil {
			return nil
		}
	}
}

func (s *server) dial(call *wire.Conn, path string) error {
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return err
	}
	return handOver(call, conn)
}

// handOver sends conn away and closes the own copy.
func handOver(call *wire.Conn, conn *net.UnixConn) error {
	defer conn.Close()
	f, err := conn.File()
	if err != nil {
		return err
	}
	defer f.Close()
	return call.Send(wire.Event{Connected: true}, f)
}
