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
	// Terminal is the command's terminal if it asked for one, Pipes are its streams otherwise. Close closes them,
	// which hangs the command up if it has a terminal.
	Terminal *os.File
	Pipes    *Pipes

	call *wire.Conn
	exit chan outcome
	once sync.Once
}

type outcome struct {
	exit wire.Exit
	err  error
}

// Exec runs a command as user. The command outlives ctx.
func (g *Guest) Exec(ctx context.Context, user string, e wire.Exec) (*Process, error) {
	p := &Process{exit: make(chan outcome, 1)}
	var streams []*os.File
	if e.Terminal == nil {
		pipes, err := g.pipes()
		if err != nil {
			return nil, err
		}
		defer pipes.hide()
		p.Pipes, streams = pipes, pipes.theirs[:]
	}
	call, err := g.call(user, wire.Request{Op: wire.OpExec, Exec: &e}, streams...)
	if err != nil {
		p.Close()
		return nil, err
	}
	p.call = call
	event, files, err := answer(ctx, call)
	if err == nil && !event.Started {
		err = errors.New("the VM's agent did not start the command")
	}
	if err == nil && e.Terminal != nil {
		p.Terminal, err = takeTerminal(files)
	} else {
		closeAll(files)
	}
	if err != nil {
		p.Close()
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

// Close lets go of the command and its streams; without a terminal it goes on.
func (p *Process) Close() {
	p.once.Do(func() {
		if p.call != nil {
			p.call.Close()
		}
		if p.Pipes != nil {
			p.Pipes.Close()
		}
		if p.Terminal != nil {
			p.Terminal.Close()
		}
	})
}
