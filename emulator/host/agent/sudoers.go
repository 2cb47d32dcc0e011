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
