package remote

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/errkind"
)

// Command is one command line to run on a VM. The zero value of every stream is nothing: no input,
// output thrown away.
type Command struct {
	Line         string // run by the login shell; see CommandLine
	Stdin        io.Reader
	Stdout       io.Writer
	Stderr       io.Writer
	ForwardAgent bool // lend the local agent for the time of this command
}

// Result is what a command did.
type Result struct {
	Success  bool          `json:"success"` // the exit code was 0
	Stdout   string        `json:"stdout"`
	Stderr   string        `json:"stderr"`
	ExitCode int           `json:"exit_code"` // 128 plus the signal's number when one ended it
	Duration time.Duration `json:"-"`
}

// Connections that stop answering are given up after keepAliveMisses unanswered questions.
const (
	keepAliveEvery  = 15 * time.Second
	keepAliveMisses = 3
)

// Run runs cmd and returns its exit code. The error is nil whenever the command ran to its end, whatever
// its exit code. When ctx ends the command is sent SIGTERM and its channel is closed.
func (c *Client) Run(ctx context.Context, cmd Command) (exitCode int, err error) {
	session, err := c.ssh.NewSession()
	if err != nil {
		return 0, c.execError(err)
	}
	defer session.Close()
	session.Stdout, session.Stderr = cmd.Stdout, cmd.Stderr
	if cmd.ForwardAgent && c.host.AgentSocket != "" {
		if err := c.forwardAgent(session); err != nil {
			return 0, c.execError(err)
		}
	}
	if cmd.Stdin != nil {
		// A pipe instead of session.Stdin: Wait would otherwise wait for the input to end.
		in, err := session.StdinPipe()
		if err != nil {
			return 0, c.execError(err)
		}
		go func() {
			_, _ = io.Copy(in, cmd.Stdin) // the command may well end without reading its input
			_ = in.Close()                // as above
		}()
	}
	if err := session.Start(cmd.Line); err != nil {
		return 0, c.execError(err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go c.watch(ctx, cancel)
	stop := context.AfterFunc(ctx, func() {
		_ = session.Signal(ssh.SIGTERM) // best effort before the channel goes
		_ = session.Close()             // as above
		if errors.Is(context.Cause(ctx), errSilent) {
			_ = c.ssh.Close() // nothing more will come
		}
	})
	defer stop()
	err = session.Wait()
	var exit *ssh.ExitError
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &exit) && exit.Signal() != "":
		return 128 + signalNumber(exit.Signal()), nil
	case errors.As(err, &exit):
		return exit.ExitStatus(), nil
	case ctx.Err() != nil:
		return 0, c.execError(context.Cause(ctx))
	}
	return 0, c.execError(err)
}

// Output runs line and collects what it prints.
func (c *Client) Output(ctx context.Context, line string) (Result, error) {
	var stdout, stderr bytes.Buffer
	began := time.Now()
	code, err := c.Run(ctx, Command{Line: line, Stdout: &stdout, Stderr: &stderr})
	return Result{
		Success: err == nil && code == 0, Stdout: stdout.String(), Stderr: stderr.String(),
		ExitCode: code, Duration: time.Since(began),
	}, err
}

// Execute connects to h, runs line there within timeout (default five minutes) and disconnects.
func Execute(ctx context.Context, h Host, line string, timeout time.Duration) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(timeout, 5*time.Minute))
	defer cancel()
	c, err := Dial(ctx, h)
	if err != nil {
		return Result{}, err
	}
	defer c.Close()
	return c.Output(ctx, line)
}

var errSilent = fmt.Errorf("the VM has not answered for %s", keepAliveMisses*keepAliveEvery)

// watch ends the command when the other side no longer answers, which TCP alone may notice only after
// hours.
func (c *Client) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(keepAliveEvery)
	defer tick.Stop()
	answered := make(chan error, 1)
	waiting, missed := false, 0
	for {
		select {
		case <-ctx.Done():
			return
		case err := <-answered:
			if err != nil {
				return // the connection is gone and Wait knows
			}
			waiting, missed = false, 0
		case <-tick.C:
			if waiting {
				if missed++; missed >= keepAliveMisses {
					cancel(errSilent)
					return
				}
				continue
			}
			waiting = true
			go func() {
				_, _, err := c.ssh.SendRequest("keepalive@openssh.com", true, nil)
				answered <- err
			}()
		}
	}
}

func (c *Client) execError(err error) error {
	kind := errkind.Of(err)
	if kind == errkind.Unknown {
		kind = errkind.Unreachable
	}
	return &errkind.Error{Kind: kind, Op: "run on", Resource: c.host.name(), Class: ErrExec, Err: err}
}

// signalNumber follows the numbers of Linux, which every shell reports as 128+n.
func signalNumber(name string) int {
	numbers := map[ssh.Signal]int{
		ssh.SIGHUP: 1, ssh.SIGINT: 2, ssh.SIGQUIT: 3, ssh.SIGILL: 4, ssh.SIGABRT: 6, ssh.SIGFPE: 8,
		ssh.SIGKILL: 9, ssh.SIGUSR1: 10, ssh.SIGSEGV: 11, ssh.SIGUSR2: 12, ssh.SIGPIPE: 13,
		ssh.SIGALRM: 14, ssh.SIGTERM: 15,
	}
	return numbers[ssh.Signal(name)]
}
