package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/azlin-dev/azlin/emulator/host/agent/account"
	"github.com/azlin-dev/azlin/emulator/host/agent/isolation"
	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// startUserAgent starts the agent of a login user: in a user namespace where that user's id is the only one, and
// in a mount namespace where what only root may read or write is so although, to the kernel, root and the user
// are the same.
func (m *machine) startUserAgent(who account.Account) (userAgent, error) {
	if who.Name != filepath.Base(who.Name) || who.Name == "." || who.Name == ".." {
		return userAgent{}, fmt.Errorf("%q is no name of a user", who.Name)
	}
	sockets := filepath.Join(isolation.UserSocketBase, who.Name)
	if err := os.MkdirAll(sockets, 0o755); err != nil {
		return userAgent{}, err
	}
	if err := m.listenFor(who.Name, sockets); err != nil && !errors.Is(err, unix.EADDRINUSE) {
		return userAgent{}, err
	}
	if err := os.MkdirAll(fmt.Sprintf("/run/user/%d", who.UID), 0o700); err != nil {
		return userAgent{}, err
	}
	conn, far, err := wire.Pair()
	if err != nil {
		return userAgent{}, err
	}
	defer far.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		conn.Close()
		return userAgent{}, err
	}
	defer null.Close()
	attr := &os.ProcAttr{
		Dir: "/", Env: []string{}, Files: []*os.File{null, null, null, far},
		Sys: &syscall.SysProcAttr{
			Setsid:      true,
			Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: who.UID, HostID: 0, Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: who.GID, HostID: 0, Size: 1}},
		},
	}
	argv := []string{"(sshd-user)", Marker, roleUser, who.Name}
	process, err := m.reaper.Start(isolation.AgentPath, argv, attr, func() error { return isolation.RestrictView(who) })
	if err != nil {
		conn.Close()
		return userAgent{}, err
	}
	return userAgent{conn, process}, nil
}
