//go:build unix

package agent

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/azlin-dev/azlin/emulator/host/agent/account"
	"github.com/azlin-dev/azlin/emulator/host/agent/reaper"
	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// server serves the calls of one identity: root's in pid 1, a user's in the agent of that user.
type server struct {
	tree    account.Tree
	reaper  *reaper.Reaper
	user    string
	prepare func() error // runs on the thread that forks a command; may be nil
	shims   string       // a directory to put first in PATH; empty where /usr/local/bin has them
	admin   *machine     // pid 1's: the operations that only root has; nil in a user's agent
}

// isolated reports whether this is the inside of a VM with a file system of its own.
func (s *server) isolated() bool { return s.tree == "" }

// serve answers one call. Nobody waits for it: a call ends with its connection.
func (s *server) serve(call *wire.Conn) {
	defer call.Close()
	var req wire.Request
	files, err := call.Receive(&req)
	if err != nil {
		return
	}
	defer wire.CloseFiles(files)
	if err := s.handle(call, req, files); err != nil {
		missing := errors.Is(err, account.ErrNoUser) || errors.Is(err, os.ErrNotExist)
		_ = call.Send(wire.Event{Err: err.Error(), NotFound: missing})
	}
}

func (s *server) handle(call *wire.Conn, req wire.Request, files []*os.File) error {
	switch req.Op {
	case wire.OpExec:
		if req.Exec == nil {
			return errors.New("exec: nothing to run")
		}
		return s.exec(call, *req.Exec, files)
	case wire.OpKeys:
		keys, err := s.authorizedKeys()
		if err != nil {
			return err
		}
		return call.Send(wire.Event{Keys: keys})
	case wire.OpListen:
		return s.listen(call, req.Path)
	case wire.OpDial:
		return s.dial(call, req.Path)
	}
	if s.admin == nil {
		return fmt.Errorf("%s: %w", req.Op, syscall.EPERM)
	}
	return s.admin.handle(call, req)
}
