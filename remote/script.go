package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/azlin-dev/azlin/errkind"
)

// mark is what a script prints first, to both streams. Anything before it is the login shell's output.
const mark = "azlin-begins-here-5f2d"

// scriptLine is a line with which any login shell, including fish, lets sh run a script: plain words and single quotes.
func scriptLine(script string, args []string) string {
	return "exec " + CommandLine(append([]string{"sh", "-c", "echo " + mark + "; echo " + mark + " >&2\n" + script, "azlin"}, args...))
}

// afterMark passes on what follows the mark.
type afterMark struct {
	w    io.Writer // nil: discard
	seen bool
	kept []byte // the last part received, which may contain the beginning of the mark
}

func (a *afterMark) Write(p []byte) (int, error) {
	n := len(p)
	if !a.seen {
		a.kept = append(a.kept, p...)
		const line = mark + "\n"
		at := bytes.Index(a.kept, []byte(line))
		if at < 0 {
			a.kept = a.kept[max(0, len(a.kept)-len(line)):]
			return n, nil
		}
		a.seen, p, a.kept = true, a.kept[at+len(line):], nil
	}
	if a.w == nil || len(p) == 0 {
		return n, nil
	}
	if _, err := a.w.Write(p); err != nil {
		return 0, err
	}
	return n, nil
}

// ErrLoginShell is the cause when the user's login shell ended before it ran the command, because of a start-up file such as
// .bashrc.
var ErrLoginShell = errors.New("the login shell ended before it ran anything")

// shellEnded is the error for a script that never started.
func (c *Client) shellEnded(code int) error {
	return c.host.failure(errkind.Provisioning, fmt.Errorf("%w, with exit code %d: look at the start-up files of %s, such as .bashrc", ErrLoginShell, code, c.host.user()))
}

// Script runs a POSIX shell script with arguments ($1, $2, …) and collects its output, whatever the login shell is and
// prints.
func (c *Client) Script(ctx context.Context, script string, args ...string) (Result, error) {
	var stdout, stderr bytes.Buffer
	began := time.Now()
	code, err := c.Run(ctx, Command{Script: script, Args: args, Stdout: &stdout, Stderr: &stderr})
	return Result{
		Success: err == nil && code == 0, Stdout: stdout.String(), Stderr: stderr.String(),
		ExitCode: code, Duration: time.Since(began),
	}, err
}
