// Package history records the interactive connections from this machine: VM, start, end, and exit code.
// It keeps a file of JSON lines; it does not connect. Package audit records changes to Azure.
package history

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/azlin-dev/azlin/errkind"
)

// ErrHistory is the class of every failure of this package, for errors.Is.
var ErrHistory = errors.New("connection history error")

// Connection is one interactive connection.
type Connection struct {
	ID             string     `json:"id"`
	VM             string     `json:"vm,omitempty"`
	ResourceGroup  string     `json:"resource_group,omitempty"`
	SubscriptionID string     `json:"subscription_id,omitempty"`
	Context        string     `json:"context,omitempty"`
	Address        string     `json:"address,omitempty"`
	Session        string     `json:"session,omitempty"` // tmux session; empty: a plain shell or a command
	Started        time.Time  `json:"started,omitzero"`  // UTC
	Ended          *time.Time `json:"ended"`             // UTC; nil: still open, or azlin was killed
	ExitCode       *int       `json:"exit_code"`         // ssh's; nil: unknown
}

// Duration is how long the connection lasted; ok is false when its end is unknown.
func (c Connection) Duration() (d time.Duration, ok bool) {
	if c.Ended == nil {
		return 0, false
	}
	return c.Ended.Sub(c.Started), true
}

// DefaultMaxBytes is the size at which the log file becomes the older half and a new one is started.
const DefaultMaxBytes = 1 << 20

// Log is the history in one file, with an older half in a file with the suffix ".1". It is safe for concurrent use by
// goroutines and processes.
type Log struct {
	Path     string
	MaxBytes int64 // size at which the file becomes the older one; 0: DefaultMaxBytes
}

// Start records the start of a connection and returns its id for End. VM is required; a zero Started is now. ID, Ended and
// ExitCode must be zero.
func (l Log) Start(ctx context.Context, c Connection) (id string, err error) {
	if c.VM == "" {
		return "", &errkind.Error{Kind: errkind.Invalid, Op: "record a connection", Class: ErrHistory, Err: errors.New("no VM is named")}
	}
	if c.ID != "" || c.Ended != nil || c.ExitCode != nil {
		return "", &errkind.Error{Kind: errkind.Invalid, Op: "record a connection", Class: ErrHistory, Err: errors.New("ID, Ended and ExitCode are for connections that were recorded")}
	}
	c.ID, c.Started = uuid.NewString(), stamp(c.Started)
	return c.ID, l.append(ctx, line{Event: started, Connection: c})
}

// End records how the connection with that id ended. A zero time is now.
func (l Log) End(ctx context.Context, id string, exitCode int, at time.Time) error {
	now := stamp(at)
	return l.append(ctx, line{Event: ended, Connection: Connection{ID: id, Ended: &now, ExitCode: &exitCode}})
}

// Record records a connection without an end.
func (l Log) Record(ctx context.Context, vm, address, session string) error {
	_, err := l.Start(ctx, Connection{VM: vm, Address: address, Session: session})
	return err
}

// stamp converts t to the precision and zone of the file.
func stamp(t time.Time) time.Time {
	if t.IsZero() {
		t = time.Now()
	}
	return t.UTC().Truncate(time.Millisecond)
}

// List returns the connections, newest first. Unreadable lines, such as one that a power failure cut short, are left out. An
// absent file has none.
func (l Log) List() ([]Connection, error) {
	var list []Connection
	at := map[string]int{}
	for _, name := range []string{l.older(), l.Path} {
		lines, err := readLines(name)
		if err != nil {
			return nil, &errkind.Error{Kind: errkind.Prerequisite, Op: "read", Resource: name, Class: ErrHistory, Err: err}
		}
		for _, ln := range lines {
			n, known := at[ln.ID]
			switch {
			case ln.Event == started && !known:
				at[ln.ID] = len(list)
				list = append(list, ln.Connection)
			case ln.Event == ended && known:
				list[n].Ended, list[n].ExitCode = ln.Ended, ln.ExitCode
			}
		}
	}
	slices.Reverse(list) // for equal times, the later line is newer
	slices.SortStableFunc(list, func(a, b Connection) int { return b.Started.Compare(a.Started) })
	return list, nil
}

// Last returns the connection with the latest start; ok is false when there is none.
func (l Log) Last() (last Connection, ok bool, err error) {
	list, err := l.List()
	if err != nil || len(list) == 0 {
		return Connection{}, false, err
	}
	return list[0], true, nil
}

func (l Log) older() string { return l.Path + ".1" }

func (l Log) append(ctx context.Context, ln line) error {
	if err := l.write(ctx, ln); err != nil {
		return &errkind.Error{Op: "record a connection", Class: ErrHistory, Err: fmt.Errorf("%s: %w", l.Path, err)}
	}
	return nil
}
