package app

import (
	"errors"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
)

// Stranded adds to a failure on the way to a VM, or of the connection there, what goes on, unless the failure says so
// itself.
func Stranded(err error, name string) error {
	if errkind.Of(err) != errkind.Unreachable {
		return err
	}
	if !errkind.Next(err).IsZero() {
		return err
	}
	switch {
	case errors.Is(err, remote.ErrLost):
		return &errkind.Error{Err: err, Next: errkind.Step{Action: errkind.ExecOnVM, VM: name, Command: "ps -ef"}}
	case errors.Is(err, remote.ErrConnection):
		return &errkind.Error{Err: err, Next: errkind.Step{Action: errkind.ReadLog, VM: name, Name: "serial"}}
	}
	return err
}

// Unread is a log that could not be read to its end. Whoever wrote it is not disturbed by that.
func Unread(err error, name string) error {
	if errkind.Of(err) != errkind.Unreachable {
		return err
	}
	return &errkind.Error{Err: err, Next: errkind.Step{Action: errkind.ReadLog, VM: name, Name: "serial"}}
}

// Disconnected adds to the failure of an interactive session what goes on, unless the failure says so itself. session is
// the tmux session; empty: there was none.
func Disconnected(err error, name, session string) error {
	if errkind.Of(err) != errkind.Unreachable {
		return err
	}
	if !errkind.Next(err).IsZero() {
		return err
	}
	next := errkind.Step{Action: errkind.ShowVM, VM: name}
	if session != "" {
		next = errkind.Step{Action: errkind.ConnectVM, VM: name + ":" + session}
	}
	return &errkind.Error{Err: err, Next: next}
}
