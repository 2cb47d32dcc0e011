//go:build unix

package agent

import (
	"errors"
	"io"
	"os"

	"github.com/azlin-dev/azlin/emulator/host/agent/isolation"
	"github.com/azlin-dev/azlin/emulator/host/agent/reaper"
	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// runUser is the agent of one login user. All processes of the user descend from it and share its user
// namespace, so that they may trace and signal each other.
func runUser(args []string) error {
	if len(args) != 1 {
		return errors.New("one user name is wanted")
	}
	ignoreSignals()
	if err := isolation.HideProcess(); err != nil {
		return err
	}
	conn, err := wire.FromFile(os.NewFile(controlFD, "control"))
	if err != nil {
		return err
	}
	s := &server{reaper: reaper.NewReaper(), user: args[0]}
	go s.reaper.Run()
	for {
		_, call, err := receiveRoute(conn)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		c, err := wire.FromFile(call)
		if err != nil {
			return err
		}
		go s.serve(c)
	}
}
