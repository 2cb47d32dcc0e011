package remote

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	xterm "golang.org/x/term"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote/child"
)

// Connect runs the session once and returns ssh's exit code: the remote command's, or DisconnectExitCode when the connection
// failed. A Connector then reconnects.
func Connect(ctx context.Context, in Interactive) (exitCode int, err error) {
	e, err := in.run(ctx)
	return e.code, err
}

// ended is the result of one run of ssh.
type ended struct {
	code   int
	said   string // the last part of ssh's standard error
	lasted time.Duration
	slept  bool // it was ended here after this machine had slept
	killed bool // another process killed it
}

// letGo is how long ssh may take to end after a signal.
const letGo = 2 * time.Second

// run runs the system's ssh until it ends.
func (in Interactive) run(ctx context.Context) (ended, error) {
	argv, err := in.Args()
	if err != nil {
		return ended{}, err
	}
	path, err := exec.LookPath("ssh")
	if err != nil {
		return ended{}, &errkind.Error{
			Kind: errkind.Prerequisite, Op: "connect to", Resource: in.Host.name(), Class: ErrConnection,
			Err: errors.New("ssh is not installed (Debian, Ubuntu: apt install openssh-client)"),
		}
	}
	said := &tail{pass: in.Stderr}
	cmd := exec.CommandContext(ctx, path, argv...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env = in.Stdin, in.Stdout, said, in.Env
	if _, file := in.Stdout.(*os.File); !file && in.Stdout != nil { // it may be the same as in.Stderr
		cmd.Stdout = &oneByOne{w: in.Stdout, mu: &said.mu}
	}
	cmd.Cancel = func() error { return terminate(cmd.Process) }
	cmd.WaitDelay = letGo // for a helper of ssh that keeps standard error open
	restore := keepTerminal(in.Stdin, in.Stdout)
	defer child.EndWithUs(cmd)()
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return ended{}, in.Host.failure(errkind.Unreachable, err)
	}
	child.FollowSuspension(cmd.Process, in.Stdin)
	slept := in.watchSleep(cmd.Process)
	err = cmd.Wait()
	e := ended{said: said.String(), lasted: time.Since(began), slept: slept()}
	if errors.Is(err, exec.ErrWaitDelay) { // ssh itself ended normally
		err = nil
	}
	exit, exited := errors.AsType[*exec.ExitError](err)
	if err != nil && (!exited || !exit.Exited() || IsDisconnectExitCode(exit.ExitCode())) {
		restore()
	}
	switch {
	case ctx.Err() != nil:
		return e, context.Cause(ctx)
	case e.slept:
		e.code = DisconnectExitCode
		return e, nil
	case err == nil:
		return e, nil
	case exited && exit.Exited():
		e.code = exit.ExitCode()
		return e, nil
	case exited:
		e.code, e.killed = DisconnectExitCode, true
		return e, nil
	}
	return e, in.Host.failure(errkind.Unreachable, err)
}

// terminate lets ssh end itself, so that it restores the terminal.
func terminate(p *os.Process) error {
	if runtime.GOOS == "windows" {
		return p.Kill()
	}
	return p.Signal(syscall.SIGTERM)
}

// watchSleep ends ssh when this machine, or this process, was suspended for longer than the VM may be silent: by then the VM
// and the network have dropped the connection, which ssh would notice much later. It does so only with tmux, because then
// nothing is lost. The returned function ends the watch and reports whether it ended ssh.
func (in Interactive) watchSleep(p *os.Process) (slept func() bool) {
	if !in.tmux() {
		return func() bool { return false }
	}
	done := make(chan struct{})
	result := make(chan bool, 1)
	go func() {
		limit := in.Host.Limits.silence()
		interval := min(time.Second, max(limit/8, 50*time.Millisecond))
		tick := time.NewTicker(interval)
		defer tick.Stop()
		away := false
		for last := time.Now(); ; {
			select {
			case <-done:
				result <- away
				return
			case <-tick.C:
			}
			now := time.Now()
			// When the machine sleeps, the monotonic clock stops; when the process is stopped, both clocks advance.
			gap := max(now.Sub(last), now.Round(0).Sub(last.Round(0)))
			last = now
			if gap < limit+interval || away {
				continue
			}
			away = true
			_ = terminate(p) // it may have ended by itself
			time.AfterFunc(letGo, func() {
				select {
				case <-done:
				default:
					_ = p.Kill() // as above
				}
			})
		}
	}()
	var once sync.Once
	return func() (away bool) {
		once.Do(func() {
			close(done)
			away = <-result
		})
		return away
	}
}

func (in Interactive) tmux() bool { return !in.NoTmux && len(in.Command) == 0 }

// resetTerminal resets modes that an interrupted program on the VM may have set: the alternate screen, reports of the mouse,
// of focus and of pasted text, a hidden cursor, colours.
const resetTerminal = "\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1006l\x1b[?2004l\x1b[?1l\x1b>\x1b[?25h\x1b[0m\r"

// keepTerminal saves the terminal's state, if there is one, for a connection that ends abnormally.
func keepTerminal(stdin io.Reader, stdout io.Writer) (restore func()) {
	in, ok := stdin.(*os.File)
	if !ok || !xterm.IsTerminal(int(in.Fd())) {
		return func() {}
	}
	state, err := xterm.GetState(int(in.Fd()))
	if err != nil {
		return func() {}
	}
	return func() {
		_ = xterm.Restore(int(in.Fd()), state) // the terminal may be gone
		if out, ok := stdout.(*os.File); ok && xterm.IsTerminal(int(out.Fd())) {
			_, _ = io.WriteString(out, resetTerminal) // as above
		}
	}
}

// tail passes its input on, except useless messages of ssh, and keeps the last part.
type tail struct {
	pass io.Writer // nil: nobody

	mu   sync.Mutex
	kept []byte
}

const keptOfStderr = 4 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	t.kept = append(t.kept, b...)
	t.kept = t.kept[max(0, len(t.kept)-keptOfStderr):]
	defer t.mu.Unlock()
	if t.pass == nil {
		return len(b), nil
	}
	shown := b
	if bytes.ContainsRune(b, '\n') {
		shown = bytes.Join(slices.DeleteFunc(bytes.SplitAfter(b, []byte("\n")), noise), nil)
	}
	if _, err := t.pass.Write(shown); err != nil {
		return 0, err
	}
	return len(b), nil
}

// oneByOne serialises writes.
type oneByOne struct {
	w  io.Writer
	mu *sync.Mutex
}

func (o *oneByOne) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.w.Write(b)
}

// noise matches messages of ssh that would only disturb a screen: a session ended normally, no terminal although none was
// requested, and no listener at a forward's target.
func noise(line []byte) bool {
	s := string(line)
	return strings.HasPrefix(s, "Connection to ") && strings.HasSuffix(strings.TrimSpace(s), " closed.") ||
		strings.HasPrefix(s, "Pseudo-terminal will not be allocated") ||
		strings.HasPrefix(s, "channel ") && strings.Contains(s, ": open failed: ")
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.kept)
}
