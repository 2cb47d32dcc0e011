package sshd

import (
	"context"
	"io"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/emulator/host/guest"
	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// drainTime is how long output may still come after a command with a terminal has ended: something in the
// background may hold the terminal for ever.
const drainTime = 200 * time.Millisecond

// running is the command of a session, connected to its channel.
type running struct {
	process *guest.Process
	channel ssh.Channel
	in      io.WriteCloser
	out     io.ReadCloser
	err     io.ReadCloser // nil with a terminal

	start sync.Once
}

// run starts a command inside the VM; its streams are connected by begin.
func (s *session) run(ctx context.Context, e wire.Exec) (*running, error) {
	p, err := s.Guest.Exec(ctx, s.conn.User(), e)
	if err != nil {
		return nil, err
	}
	if e.Terminal != nil {
		return &running{process: p, channel: s.channel, in: keepOpen{p.Terminal}, out: p.Terminal}, nil
	}
	return &running{process: p, channel: s.channel, in: p.Pipes.Stdin, out: p.Pipes.Stdout, err: p.Pipes.Stderr}, nil
}

// keepOpen is a terminal as standard input: the end of input does not close it.
type keepOpen struct{ io.Writer }

func (keepOpen) Close() error { return nil }

// begin connects the command to the channel, once.
func (r *running) begin(ctx context.Context) {
	r.start.Do(func() {
		go func() {
			_, _ = io.Copy(r.in, r.channel) // ends with the client's input or the command's interest in it
			r.in.Close()
		}()
		var output sync.WaitGroup
		output.Go(func() { _, _ = io.Copy(r.channel, r.out) })
		if r.err != nil {
			output.Go(func() { _, _ = io.Copy(r.channel.Stderr(), r.err) })
		}
		go r.finish(ctx, &output)
	})
}

// finish reports the command's end once its output is through.
func (r *running) finish(ctx context.Context, output *sync.WaitGroup) {
	defer r.channel.Close()
	exit, err := r.process.Wait(ctx)
	if err != nil {
		return
	}
	if r.err == nil {
		late := time.AfterFunc(drainTime, func() { r.out.Close() })
		defer late.Stop()
	}
	output.Wait()
	_ = r.channel.CloseWrite()
	if exit.Signal != "" {
		message := struct {
			Name           string
			Core           bool
			Text, Language string
		}{exit.Signal, exit.Core, "", ""}
		_, _ = r.channel.SendRequest("exit-signal", false, ssh.Marshal(message))
		return
	}
	_, _ = r.channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{uint32(exit.Code)}))
}

// abandon closes what the session holds of the command.
func (r *running) abandon() { r.process.Close() }
