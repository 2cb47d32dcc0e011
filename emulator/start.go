package emulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// StartOptions say how the daemon of a directory is started.
type StartOptions struct {
	Dir     string
	Command []string     // program and arguments of a process that calls Serve for Dir
	Log     *slog.Logger // nil: nothing is logged
}

// startPatience is how long a new daemon may take until it answers.
const startPatience = 30 * time.Second

// Start makes sure that an emulator serves a directory and returns its status. The daemon outlives
// the caller and logs to emulator.log in the directory. Two callers at once get one daemon.
func Start(ctx context.Context, o StartOptions) (st Status, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("start the emulator: %w", err)
		}
	}()
	if st, err := Read(ctx, o.Dir); err == nil {
		return st, nil
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return Status{}, err
	}
	one := flock.New(filepath.Join(o.Dir, "start.lock"), flock.SetPermissions(0o600))
	if _, err := one.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		return Status{}, err
	}
	defer func() { err = errors.Join(err, one.Unlock()) }()
	if st, err := Read(ctx, o.Dir); err == nil {
		return st, nil // the other caller was faster
	}
	exited, err := launch(o)
	if err != nil {
		return Status{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for {
		st, err := Read(ctx, o.Dir)
		if err == nil {
			return st, nil
		}
		select {
		case <-exited:
			return Status{}, fmt.Errorf("its process ended at once: %s", lastLines(o, filepath.Join(o.Dir, logFile)))
		default:
		}
		if pause(ctx, 10*time.Millisecond) != nil {
			return Status{}, fmt.Errorf("no answer within %s: %w", startPatience, err)
		}
	}
}

const logFile = "emulator.log"

// launch starts the daemon as a process of its own. The channel is closed when it ends.
func launch(o StartOptions) (<-chan struct{}, error) {
	if len(o.Command) == 0 {
		return nil, errors.New("no command to run")
	}
	log, err := os.OpenFile(filepath.Join(o.Dir, logFile), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the daemon has its own handle
	// It lives on without its starter: no context ends it.
	cmd := exec.Command(o.Command[0], o.Command[1:]...) //nolint:noctx // see above
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, o.Dir
	cmd.SysProcAttr = detached()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if o.Log != nil {
		o.Log.Debug("started the emulator", "pid", cmd.Process.Pid)
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait() // only reaps it; why it ended stands in its log
		close(exited)
	}()
	return exited, nil
}

// lastLines is the end of a log.
// lastLines are what the process has written last, without its name, which whoever started it knows.
func lastLines(o StartOptions, name string) string {
	f, err := os.Open(name)
	if err != nil {
		return "it left no log"
	}
	defer func() { _ = f.Close() }() // read only
	if st, err := f.Stat(); err == nil && st.Size() > 2048 {
		if _, err := f.Seek(-2048, io.SeekEnd); err != nil {
			return err.Error()
		}
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return err.Error()
	}
	l := strings.Split(strings.TrimSpace(string(data)), "\n")
	command := []string{filepath.Base(o.Command[0])}
	for _, arg := range o.Command[1:] {
		if strings.HasPrefix(arg, "-") {
			break
		}
		command = append(command, arg)
	}
	for n := range l {
		l[n] = strings.TrimPrefix(l[n], strings.Join(command, " ")+": ")
	}
	return strings.Join(l[max(0, len(l)-5):], "; ")
}
