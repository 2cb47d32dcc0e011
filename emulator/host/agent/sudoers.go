//go:build unix

package agent

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

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

// errPassword is sudo's answer to a user who would have to type a password: nobody here has one.
var errPassword = errors.New("a password is required")

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
func (m *machine) allow(caller string, target account) error {
	if caller == rootAccount().Name || caller == target.Name {
		return nil
	}
	who, err := m.tree.lookup(caller)
	if err != nil {
		return err
	}
	return m.tree.sudoRule(who, m.tree.groupsOf(who), target.Name)
}

// sudoRule looks for a rule that lets a user act as target. Only rules for all commands count: a narrower one
// is not widened.
func (t tree) sudoRule(who account, groups []string, target string) error {
	files, err := filepath.Glob(t.path("etc/sudoers.d/*"))
	if err != nil {
		return err
	}
	slices.Sort(files)
	denied := fmt.Errorf("%s is not in the sudoers file", who.Name)
	for _, file := range append([]string{t.path("etc/sudoers")}, files...) {
		data, err := tree("").read(file)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(data)) {
			rule, ok := parseSudoRule(line)
			if !ok || !rule.appliesTo(who, groups, target) {
				continue
			}
			if denied = nil; rule.password {
				denied = errPassword
			}
		}
	}
	return denied // the last rule that matches wins
}

// sudoRule is "who hosts=(runas) [NOPASSWD:] ALL".
type sudoRule struct {
	who      string
	runAs    []string
	password bool
}

func parseSudoRule(line string) (sudoRule, bool) {
	line, _, _ = strings.Cut(line, "#")
	who, rest, ok := strings.Cut(strings.TrimSpace(line), " ")
	if !ok || who == "Defaults" {
		return sudoRule{}, false
	}
	hosts, rest, ok := strings.Cut(rest, "=")
	if !ok || strings.TrimSpace(hosts) != "ALL" {
		return sudoRule{}, false
	}
	rule := sudoRule{who: who, runAs: []string{"root"}, password: true}
	rest = strings.TrimSpace(rest)
	if list, after, ok := strings.Cut(strings.TrimPrefix(rest, "("), ")"); ok && strings.HasPrefix(rest, "(") {
		users, _, _ := strings.Cut(list, ":")
		rule.runAs = strings.FieldsFunc(users, func(r rune) bool { return r == ',' || r == ' ' })
		rest = strings.TrimSpace(after)
	}
	for _, tag := range []string{"NOPASSWD:", "SETENV:"} {
		if after, ok := strings.CutPrefix(rest, tag); ok {
			rule.password = rule.password && tag != "NOPASSWD:"
			rest = strings.TrimSpace(after)
		}
	}
	return rule, rest == "ALL"
}

func (r sudoRule) appliesTo(who account, groups []string, target string) bool {
	if r.who != "ALL" && r.who != who.Name && !(strings.HasPrefix(r.who, "%") && slices.Contains(groups, r.who[1:])) {
		return false
	}
	return slices.Contains(r.runAs, "ALL") || slices.Contains(r.runAs, target)
}

// permit writes the rules of a user where cloud-init does.
func (m *machine) permit(user string, rules []string) error {
	if len(rules) == 0 {
		return nil
	}
	if err := os.MkdirAll(m.tree.path("etc/sudoers.d"), 0o750); err != nil {
		return err
	}
	const name = "etc/sudoers.d/90-cloud-init-users"
	present, _ := m.tree.read(name) // absent at first
	for _, rule := range rules {
		line := user + " " + rule
		if strings.ContainsAny(line, "\n\r") || slices.Contains(strings.Split(string(present), "\n"), line) {
			continue
		}
		if err := m.tree.appendLine(name, line); err != nil {
			return err
		}
	}
	return nil
}
