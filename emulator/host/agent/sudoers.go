//go:build unix

package agent

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/emulator/host/agent/account"
	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// agentDir holds what belongs to the agent: its executable, the programs of shims_linux.go, sockets.
const agentDir = "/run/.azlin"

// agentPath is the agent's executable as processes of an isolated VM start it: through a read-only mount, so that who reaches
// /proc/PID/exe changes nothing.
const agentPath = agentDir + "/agent"

// Where the sockets are on which pid 1 takes requests of sudo: each user sees only the one at ownSocketDir, so
// that pid 1 knows who asks by where he asks.
const (
	ownSocketDir   = agentDir + "/own"
	rootSocketDir  = ownSocketDir
	userSocketBase = agentDir + "/users"
	deniedFile     = agentDir + "/denied"
	deniedDir      = agentDir + "/denied.d"
)

// listenFor takes sudo's requests of one user at a socket in dir.
func (m *machine) listenFor(user, dir string) error {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "sudo"), Net: "unix"})
	if err != nil {
		return err
	}
	go func() {
		for {
			sock, err := l.AcceptUnix()
			if err != nil {
				return
			}
			go func() {
				conn := wire.NewConn(sock)
				defer conn.Close()
				if route, call, err := receiveRoute(conn); err == nil {
					m.dispatch(user, route, call)
				}
			}()
		}
	}()
	return nil
}

// allow decides whether a user may act as another.
func (m *machine) allow(caller string, target account.Account) error {
	if caller == account.RootAccount().Name || caller == target.Name {
		return nil
	}
	who, err := m.tree.Lookup(caller)
	if err != nil {
		return err
	}
	return m.tree.SudoRule(who, m.tree.GroupsOf(who), target.Name)
}

// permit writes the rules of a user where cloud-init does.
func (m *machine) permit(user string, rules []string) error {
	if len(rules) == 0 {
		return nil
	}
	if err := os.MkdirAll(m.tree.Path("etc/sudoers.d"), 0o750); err != nil {
		return err
	}
	const name = "etc/sudoers.d/90-cloud-init-users"
	present, _ := m.tree.Read(name) // absent at first
	for _, rule := range rules {
		line := user + " " + rule
		if strings.ContainsAny(line, "\n\r") || slices.Contains(strings.Split(string(present), "\n"), line) {
			continue
		}
		if err := m.tree.AppendLine(name, line); err != nil {
			return err
		}
	}
	return nil
}
