//go:build unix

package userland

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"

	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// ask opens a call at pid 1, as user.
func ask(user string, req wire.Request, files ...*os.File) (*wire.Conn, error) {
	sock, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: socketPath(), Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("reach pid 1: %w", err)
	}
	conn := wire.NewConn(sock)
	defer conn.Close()
	call, far, err := wire.Pair()
	if err != nil {
		return nil, err
	}
	defer far.Close()
	if err := conn.Send(wire.Route{User: user}, far); err != nil {
		call.Close()
		return nil, err
	}
	if err := call.Send(req, files...); err != nil {
		call.Close()
		return nil, err
	}
	return call, nil
}

// attach runs a command as another user with this process's streams, and returns its exit code. Like sudo, it
// gives the command a terminal of its own where this process has one.
func attach(program, user string, e *wire.Exec) int {
	files := []*os.File{os.Stdin, os.Stdout, os.Stderr}
	var terminal *os.File
	if i := slices.IndexFunc(files, func(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }); i >= 0 {
		terminal = files[i]
		e.Terminal = &wire.Terminal{Name: os.Getenv("TERM"), Size: sizeOf(terminal)}
		files = nil
		for fd, f := range []*os.File{os.Stdin, os.Stdout, os.Stderr} {
			if !term.IsTerminal(int(f.Fd())) {
				files, e.Streams = append(files, f), append(e.Streams, fd)
			}
		}
	}
	call, err := ask(user, wire.Request{Op: wire.OpExec, Exec: e}, files...)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", program, err)
		return 1
	}
	defer call.Close()
	code, err := follow(call, terminal)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", program, err)
	}
	return code
}

// follow relays until the command has ended.
func follow(call *wire.Conn, terminal *os.File) (int, error) {
	arrived := make(chan os.Signal, 8)
	signal.Notify(arrived, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1,
		syscall.SIGUSR2, syscall.SIGWINCH)
	var master *os.File
	drained := make(chan struct{})
	close(drained)
	restore := func() {}
	defer func() { restore() }()
	for {
		var event wire.Event
		files, err := call.Receive(&event)
		if err != nil {
			return 1, fmt.Errorf("pid 1 went away: %w", err)
		}
		switch {
		case event.Err != "":
			wire.CloseFiles(files)
			if event.NotFound {
				return 127, fmt.Errorf("%s", event.Err)
			}
			return 1, fmt.Errorf("%s", event.Err)
		case event.Started:
			if len(files) == 1 && terminal != nil {
				master = files[0]
				restore, drained = relay(master, terminal)
			}
			go passSignals(call, arrived, master, terminal)
		case event.Exit != nil:
			select {
			case <-drained:
			case <-time.After(200 * time.Millisecond): // something in the background holds the terminal
			}
			return event.Exit.Code, nil
		}
	}
}

// relay connects this process's terminal with the command's.
func relay(master, terminal *os.File) (restore func(), drained chan struct{}) {
	restore = func() {}
	if term.IsTerminal(int(os.Stdin.Fd())) {
		if state, err := term.MakeRaw(int(os.Stdin.Fd())); err == nil {
			restore = func() { _ = term.Restore(int(os.Stdin.Fd()), state) }
		}
		go func() { _, _ = io.Copy(master, os.Stdin) }()
	}
	drained = make(chan struct{})
	go func() {
		defer close(drained)
		out := os.Stdout
		if !term.IsTerminal(int(out.Fd())) {
			out = terminal
		}
		_, _ = io.Copy(out, master)
	}()
	return restore, drained
}

func passSignals(call *wire.Conn, arrived <-chan os.Signal, master, terminal *os.File) {
	for sig := range arrived {
		if sig == syscall.SIGWINCH {
			if master != nil {
				size := sizeOf(terminal)
				_ = pty.Setsize(master, &pty.Winsize{Rows: size.Rows, Cols: size.Columns})
			}
			continue
		}
		for name, number := range wire.Signals {
			if number == sig {
				_ = call.Send(wire.Control{Signal: name})
			}
		}
	}
}

func sizeOf(terminal *os.File) wire.Size {
	columns, rows, err := term.GetSize(int(terminal.Fd()))
	if err != nil {
		return wire.Size{Rows: 24, Columns: 80}
	}
	return wire.Size{Rows: uint16(rows), Columns: uint16(columns)}
}
