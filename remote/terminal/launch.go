package terminal

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/detach"
	"github.com/azlin-dev/azlin/local/config"
	"github.com/azlin-dev/azlin/remote"
)

// Launcher opens windows. The zero value knows no display and no surrounding terminal: set Environ.
type Launcher struct {
	Environ   []string // config.Environ of this process; also passed to terminals
	Preferred App      // tried first if available; empty: none

	OS       string                       // empty: this system's, as runtime.GOOS
	Look     func(string) (string, error) // finds programs; nil: exec.LookPath
	Patience time.Duration                // how long to wait for a window; zero: 30 seconds, because the user may have to allow it
}

// Config describes the window. The zero value is a new window of the first available terminal.
type Config struct {
	App    App    // only this one; empty: the first that works, see Launcher.Available
	Title  string // control characters are removed; empty: the terminal's own
	NewTab bool   // a tab of the front window, if the terminal can open one
}

// NewWindow reports whether a separate window is requested.
func (c Config) NewWindow() bool { return !c.NewTab }

// Command is the command of a window.
type Command struct {
	Args []string // the program, as an absolute path or on the PATH, and its arguments
	Env  []string // "NAME=value", added to the terminal's environment
	Dir  string   // working directory; empty: the terminal's

	// HoldOn is an exit code after which the window stays open until Enter is pressed, so that its output can be read. 0:
	// none.
	HoldOn int
}

// Window is an open window.
type Window struct {
	App App
	PID int // the terminal's process, or the command in a tmux window; 0: an already running process opened it
}

// Launch opens a window with an interactive SSH connection and returns the PID of Window. The host's key must be in
// KnownHosts. The streams and the environment of in are ignored.
func (l Launcher) Launch(ctx context.Context, in remote.Interactive, c Config) (pid int, err error) {
	args, err := in.Args()
	if err != nil {
		return 0, err
	}
	ssh, err := l.look("ssh")
	if err != nil {
		return 0, &errkind.Error{Kind: errkind.Prerequisite, Op: "open a window", Class: ErrLauncher, Err: errors.New("ssh is not installed (Debian, Ubuntu: apt install openssh-client)")}
	}
	w, err := l.Open(ctx, Command{Args: append([]string{ssh}, args...), HoldOn: remote.DisconnectExitCode}, c)
	return w.PID, err
}

// Open opens a window that runs a command, and returns when the window has started the command. If a terminal fails, it
// tries the next, unless Config names one. Its error is of kind Prerequisite when something is missing here, and of kind
// Cancelled when ctx is cancelled.
func (l Launcher) Open(ctx context.Context, command Command, c Config) (Window, error) {
	if len(command.Args) == 0 {
		return Window{}, errkind.New(errkind.Invalid, "open a window: there is no command to run in it")
	}
	script, err := command.script("")
	if err != nil {
		return Window{}, err
	}
	if err := l.Check(c); err != nil {
		return Window{}, err
	}
	apps := l.Available()
	if c.App != "" {
		apps = []App{c.App}
	}
	var failed []error
	for _, a := range apps {
		w, err := l.open(ctx, a, script, command, c)
		if err == nil {
			return w, nil
		}
		if failed = append(failed, err); ctx.Err() != nil {
			break
		}
	}
	return Window{}, errors.Join(failed...)
}

// Check returns the error that Open would return because something is missing here, or nil.
func (l Launcher) Check(c Config) error {
	if c.App != "" {
		if err := l.lacks(c.App); err != nil {
			return failure(c.App, errkind.Prerequisite, err)
		}
		return nil
	}
	if l.Available() == nil {
		return l.none()
	}
	return nil
}

func failure(a App, kind errkind.Kind, err error) error {
	return &errkind.Error{Kind: kind, Op: "open a window of", Resource: string(a), Class: ErrLauncher, Err: err}
}

// open opens a window of one App.
func (l Launcher) open(ctx context.Context, a App, script string, command Command, c Config) (w Window, err error) {
	if a == WezTerm && plain(c.Title) != "" {
		if script, err = command.script(plain(c.Title)); err != nil {
			return w, err
		}
	}
	program, err := l.look(a.program())
	if err != nil {
		return w, failure(a, errkind.Prerequisite, err)
	}
	dir, err := privateDir()
	if err != nil {
		return w, failure(a, errkind.Prerequisite, err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // an open pipe needs no name
	p, err := newPipe(filepath.Join(dir, "run"))
	if err != nil {
		return w, failure(a, errkind.Prerequisite, err)
	}
	said, err := os.OpenFile(filepath.Join(dir, "said"), os.O_CREATE|os.O_RDWR|os.O_EXCL, 0o600)
	if err != nil {
		return w, failure(a, errkind.Prerequisite, err)
	}
	defer said.Close()
	process, err := detach.Start(append([]string{program}, l.arguments(a, p.path, c)...), l.Environ, "", said)
	if err != nil {
		return w, failure(a, errkind.Prerequisite, err)
	}
	patience := cmp.Or(l.Patience, 30*time.Second)
	bounded, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("no window was there after %s", patience))
	defer cancel()
	if err := p.hand(bounded, script, refused(process)); err != nil {
		process.Kill() // otherwise its window might still open, without a command
		if text := lastWords(said); text != "" {
			err = fmt.Errorf("%w: %s", err, text)
		}
		if ctx.Err() != nil {
			return w, failure(a, errkind.Of(context.Cause(ctx)), context.Cause(ctx))
		}
		return w, failure(a, errkind.Prerequisite, err)
	}
	return Window{App: a, PID: windowPID(a, process, said)}, nil
}

// refused is closed when the terminal has failed.
func refused(p *detach.Process) <-chan struct{} {
	no := make(chan struct{})
	go func() {
		if <-p.Exited; p.Err() != nil {
			close(no)
		}
	}()
	return no
}

// windowPID is the PID of a new window.
func windowPID(a App, p *detach.Process, said *os.File) int {
	switch a {
	case Tmux: // it prints the PID and ends
		select {
		case <-p.Exited:
		case <-time.After(time.Second):
		}
		pid, _ := strconv.Atoi(lastWords(said)) // 0 when it did not print one
		return pid
	case ITerm, AppleTerminal, GNOMETerminal, WindowsTerminal:
		return 0
	}
	select {
	case <-p.Exited: // another process of the same program opens the window
		return 0
	default:
		return p.PID
	}
}

// lastWords is the last part of a terminal's output.
func lastWords(said *os.File) string {
	data := make([]byte, 1024)
	n, _ := said.ReadAt(data, 0) // an unreadable file counts as empty
	return strings.ToValidUTF8(string(bytes.TrimSpace(data[:n])), "")
}

// privateDir creates a directory for this user only, whose path needs no quoting in any shell or terminal.
func privateDir() (string, error) {
	parent := os.TempDir()
	if strings.IndexFunc(parent, special) >= 0 {
		parent = "/tmp"
	}
	return os.MkdirTemp(parent, "azlin-window-")
}

func special(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("/-_.+", r)
}

func (l Launcher) system() string { return cmp.Or(l.OS, runtime.GOOS) }

func (l Launcher) look(program string) (string, error) {
	if l.Look != nil {
		return l.Look(program)
	}
	return exec.LookPath(program)
}

func (l Launcher) surroundings() config.Environment { return config.ReadEnvironment(l.Environ) }
