package remote

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/errkind"
)

// Command is one command line to run on a VM. A nil stream means no input, or discarded output.
type Command struct {
	Line         string   // run by the login shell; see CommandLine
	Script       string   // run by sh instead of Line; the login shell's own output is left out
	Args         []string // of Script: $1, $2, …
	Stdin        io.Reader
	Stdout       io.Writer
	Stderr       io.Writer
	ForwardAgent bool // forward the local agent during this command
}

// Result is the result of a command.
type Result struct {
	Success  bool          `json:"success"` // the exit code was 0
	Stdout   string        `json:"stdout"`
	Stderr   string        `json:"stderr"`
	ExitCode int           `json:"exit_code"` // 128 plus the signal's number after a signal
	Duration time.Duration `json:"-"`
}

// ErrLost is the cause when the connection ended, or the VM stopped answering, before the command ended. The command may
// still be running on the VM.
var ErrLost = errors.New("the connection was lost")

// Run runs cmd and returns its exit code. The error is nil if the command ended by itself, whatever its exit code. When ctx
// ends, the command gets SIGTERM and its channel is closed. If the VM stops answering (Host.Limits), the error is ErrLost,
// of kind Unreachable. A connection has at most ten sessions: further commands wait.
func (c *Client) Run(ctx context.Context, cmd Command) (exitCode int, err error) {
	select {
	case c.sessions <- struct{}{}:
		defer func() { <-c.sessions }()
	case <-c.gone:
		return 0, c.execError(ErrLost)
	case <-ctx.Done():
		return 0, c.execError(context.Cause(ctx))
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go c.watch(ctx, cancel)
	var running atomic.Pointer[ssh.Session]
	over := make(chan struct{})
	defer close(over)
	stop := context.AfterFunc(ctx, func() { c.interrupt(ctx, &running, over) })
	defer stop()

	session, err := c.newSession(ctx)
	if err != nil {
		return 0, c.failed(ctx, false, err)
	}
	running.Store(session)
	defer session.Close()
	if ctx.Err() != nil {
		return 0, c.failed(ctx, false, nil)
	}
	session.Stdout, session.Stderr = cmd.Stdout, cmd.Stderr
	line := cmd.Line
	if cmd.Script != "" {
		out, complaints := &afterMark{w: cmd.Stdout}, &afterMark{w: cmd.Stderr}
		session.Stdout, session.Stderr, line = out, complaints, scriptLine(cmd.Script, cmd.Args)
		defer func() {
			if err == nil && !out.seen {
				err = c.shellEnded(exitCode)
			}
		}()
	}
	if cmd.ForwardAgent && c.host.AgentSocket != "" {
		if err := c.forwardAgent(session); err != nil {
			return 0, c.failed(ctx, false, err)
		}
	}
	if cmd.Stdin != nil {
		// A pipe instead of session.Stdin, because Wait would wait for the input to end.
		in, err := session.StdinPipe()
		if err != nil {
			return 0, c.execError(err)
		}
		go func() {
			_, _ = io.Copy(in, cmd.Stdin) // the command may end without reading its input
			_ = in.Close()                // as above
		}()
	}
	if err := session.Start(line); err != nil {
		return 0, c.failed(ctx, true, err) // the answer may have been lost
	}
	err = session.Wait()
	var exit *ssh.ExitError
	switch {
	case err == nil:
		return 0, nil
	case ctx.Err() != nil: // it was interrupted, so its exit code is not its own result
	case errors.As(err, &exit) && exit.Signal() != "":
		return 128 + signalNumber(exit.Signal()), nil
	case errors.As(err, &exit):
		return exit.ExitStatus(), nil
	}
	return 0, c.failed(ctx, true, err)
}

// goodbye is how long an interrupted command may take to close its channel.
const goodbye = 3 * time.Second

// interrupt ends a command after a timeout. If the VM does not react, the connection is closed.
func (c *Client) interrupt(ctx context.Context, running *atomic.Pointer[ssh.Session], over <-chan struct{}) {
	if !errors.Is(context.Cause(ctx), errSilent) {
		go func() {
			if session := running.Load(); session != nil {
				_ = session.Signal(ssh.SIGTERM) // best effort before the channel goes
				_ = session.Close()             // as above
			}
		}()
		select {
		case <-over:
			return
		case <-time.After(goodbye):
		}
	}
	_ = c.ssh.Close() // there will be no more answers
}

// newSession opens a session. The server may need a moment to notice that an earlier one has ended.
func (c *Client) newSession(ctx context.Context) (*ssh.Session, error) {
	for attempt := 1; ; attempt++ {
		session, err := c.ssh.NewSession()
		var refused *ssh.OpenChannelError
		if err == nil || attempt == dialAttempts || !errors.As(err, &refused) {
			return session, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(backOff(attempt)):
		}
	}
}

// failed is the error of a command without an exit code.
func (c *Client) failed(ctx context.Context, begun bool, err error) error {
	cause := context.Cause(ctx)
	missing := func(err error) bool { _, ok := errors.AsType[*ssh.ExitMissingError](err); return ok }
	switch {
	case errors.Is(cause, errSilent):
		err = fmt.Errorf("%w: %w for %s", ErrLost, errSilent, c.host.Limits.silence())
	case cause != nil:
		return c.execError(cause)
	case broken(err) || errors.Is(err, net.ErrClosed) || missing(err) && c.isGone():
		err = ErrLost
	case missing(err):
		return c.execError(errors.New("the VM ended the session and does not say how the command ended; it may be shutting down"))
	default:
		return c.execError(err)
	}
	if begun {
		err = fmt.Errorf("%w; the command may go on there", err)
	}
	return c.execError(err)
}

// isGone reports whether the connection has ended; its sessions notice that slightly earlier.
func (c *Client) isGone() bool {
	select {
	case <-c.gone:
		return true
	case <-time.After(200 * time.Millisecond):
		return false
	}
}

// Output runs line and collects its output.
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

var errSilent = errors.New("the VM has not answered")

// watch ends the command when the VM no longer answers, which TCP alone may notice only after hours.
func (c *Client) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	limits := c.host.Limits
	tick := time.NewTicker(limits.keepAlive())
	defer tick.Stop()
	answered := make(chan error, 1)
	waiting, missed := false, 0
	for {
		select {
		case <-ctx.Done():
			return
		case err := <-answered:
			if err != nil {
				return // the connection is gone, which Wait reports
			}
			waiting, missed = false, 0
		case <-tick.C:
			if waiting {
				if missed++; missed >= limits.unanswered() {
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

// signalNumber uses Linux's numbers, which every shell reports as 128+n.
func signalNumber(name string) int {
	numbers := map[ssh.Signal]int{
		ssh.SIGHUP: 1, ssh.SIGINT: 2, ssh.SIGQUIT: 3, ssh.SIGILL: 4, ssh.SIGABRT: 6, ssh.SIGFPE: 8,
		ssh.SIGKILL: 9, ssh.SIGUSR1: 10, ssh.SIGSEGV: 11, ssh.SIGUSR2: 12, ssh.SIGPIPE: 13,
		ssh.SIGALRM: 14, ssh.SIGTERM: 15,
	}
	return numbers[ssh.Signal(name)]
}
