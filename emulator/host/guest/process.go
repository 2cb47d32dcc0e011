package guest

import (
	"context"
	"errors"
	"os"
	"sync"

	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// Process is a command that runs in a VM.
type Process struct {
	// Terminal is the command's terminal if it has one; the caller closes it, which hangs the command up.
	Terminal *os.File

	call *wire.Conn
	exit chan outcome
	once sync.Once
}

type outcome struct {
	exit wire.Exit
	err  error
}

// Exec runs a command as user; streams are its stdin, stdout and stderr unless it asks for a terminal, and stay
// the caller's to close. The command outlives ctx.
func (g *Guest) Exec(ctx context.Context, user string, e wire.Exec, streams ...*os.File) (*Process, error) {
	call, err := g.call(user, wire.Request{Op: wire.OpExec, Exec: &e}, streams...)
	if err != nil {
		return nil, err
	}
	event, files, err := answer(ctx, call)
	if err == nil && !event.Started {
		err = errors.New("the VM's agent did not start the command")
	}
	p := &Process{call: call, exit: make(chan outcome, 1)}
	if err == nil && e.Terminal != nil {
		p.Terminal, err = takeTerminal(files)
	} else {
		closeAll(files)
	}
	if err != nil {
		call.Close()
		return nil, err
	}
	go p.wait()
	return p, nil
}

// wait receives the command's end. Without an answer the agent has been killed, and the command with it or not.
func (p *Process) wait() {
	var event wire.Event
	files, err := p.call.Receive(&event)
	closeAll(files)
	switch {
	case err != nil:
		p.exit <- outcome{wire.Exit{Code: 137, Signal: "KILL"}, nil}
	case event.Exit == nil:
		p.exit <- outcome{err: errors.New("the VM's agent lost the command: " + event.Err)}
	default:
		p.exit <- outcome{*event.Exit, nil}
	}
}

// Wait returns how the command ended. It is called once.
func (p *Process) Wait(ctx context.Context) (wire.Exit, error) {
	select {
	case o := <-p.exit:
		return o.exit, o.err
	case <-ctx.Done():
		return wire.Exit{}, ctx.Err()
	}
}

// Signal sends a signal (its name without SIG) to the command's process group.
func (p *Process) Signal(name string) error { return p.call.Send(wire.Control{Signal: name}) }

// Close forgets the command; it goes on unless it depended on what the caller closes besides.
func (p *Process) Close() { p.once.Do(func() { p.call.Close() }) }
