package app

import (
	"errors"
	"fmt"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
)

// Stranded adds to a failure on the way to a VM, or of the connection there, what goes on, unless the failure says so
// itself.
func Stranded(err error, name string) error {
	if errkind.Of(err) != errkind.Unreachable {
		return err
	}
	for e := range errkind.All(err) {
		if e.Next != "" {
			return err
		}
	}
	switch {
	case errors.Is(err, remote.ErrLost):
		return &errkind.Error{Err: err, Next: fmt.Sprintf("azlin exec %s -- ps -ef shows whether it goes on", name)}
	case errors.Is(err, remote.ErrConnection):
		return &errkind.Error{Err: err, Next: fmt.Sprintf("azlin show %s says whether it runs; azlin logs %s --source serial shows its console without SSH", name, name)}
	}
	return err
}

// Unread is a log that could not be read to its end. Whoever wrote it is not disturbed by that.
func Unread(err error, name string) error {
	if errkind.Of(err) != errkind.Unreachable {
		return err
	}
	return &errkind.Error{Err: err, Next: fmt.Sprintf("try again, or azlin logs %s --source serial, which needs no SSH", name)}
}

// Disconnected adds to the failure of an interactive session what goes on, unless the failure says so itself. session is
// the tmux session; empty: there was none.
func Disconnected(err error, name, session string) error {
	if errkind.Of(err) != errkind.Unreachable {
		return err
	}
	for e := range errkind.All(err) {
		if e.Next != "" {
			return err
		}
	}
	next := fmt.Sprintf("azlin show %s says whether it runs", name)
	if session != "" {
		next = fmt.Sprintf("azlin connect %s:%s goes on with the session, if it had begun; azlin show %s says whether the VM runs", name, session, name)
	}
	return &errkind.Error{Err: err, Next: next}
}
