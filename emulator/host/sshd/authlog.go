package sshd

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"unicode"

	"github.com/azlin-dev/azlin/emulator/host/guest"
)

// authLog tells the VM's auth.log of one connection, in the words of Ubuntu's sshd.
type authLog struct {
	guest   *guest.Guest
	process string // "sshd[PID]: ". There is no process; the client's port tells connections apart as one would
	client  string // "ADDRESS port PORT", as the VM is to see it

	user    string // who tried last
	unknown bool   // and is no user of the VM
	tries   int
}

func (s *Server) authLog(conn net.Conn) *authLog {
	l := &authLog{guest: s.Guest, process: "sshd[1]: ", client: "UNKNOWN port 0"}
	if remote, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		host := remote.IP.String()
		if s.Operator.IsValid() {
			host = s.Operator.String()
		}
		l.process = fmt.Sprintf("sshd[%d]: ", remote.Port)
		l.client = fmt.Sprintf("%s port %d", host, remote.Port)
	}
	return l
}

// printable is a name that a client chose, as it may stand in a log.
func printable(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, name)
}

// note writes lines. A log that cannot be written keeps nobody out.
func (l *authLog) note(user string, lines ...string) error {
	for i, line := range lines {
		if !strings.Contains(line, "]: ") {
			lines[i] = l.process + line
		}
	}
	return l.guest.Note(user, lines...)
}

// tried is one key that was offered.
func (l *authLog) tried(user string, err error) {
	l.tries++
	if l.user == user {
		return
	}
	l.user, l.unknown = user, errors.Is(err, guest.ErrNotFound)
	if l.unknown {
		_ = l.note("", "Invalid user "+printable(user)+" from "+l.client) // see note
	}
}

// refused is a connection that ended without a login.
func (l *authLog) refused() {
	who := ""
	switch {
	case l.user == "":
	case l.unknown:
		who = "invalid user " + printable(l.user) + " "
	default:
		who = "authenticating user " + printable(l.user) + " "
	}
	if l.tries >= maxAuthTries {
		_ = l.note("", // see note
			"error: maximum authentication attempts exceeded for "+strings.TrimPrefix(who, "authenticating user ")+"from "+l.client+" ssh2 [preauth]",
			"Disconnecting "+who+l.client+": Too many authentication failures [preauth]")
		return
	}
	_ = l.note("", "Connection closed by "+who+l.client+" [preauth]") // see note
}

func (l *authLog) accepted(user, key string) error {
	return l.note(user,
		fmt.Sprintf("Accepted publickey for %s from %s ssh2: %s", printable(user), l.client, key),
		fmt.Sprintf("pam_unix(sshd:session): session opened for user %s(uid=?) by %s(uid=0)", printable(user), printable(user)))
}

func (l *authLog) closed(user string) {
	_ = l.note(user, // see note
		"Received disconnect from "+l.client+":11: disconnected by user",
		"Disconnected from user "+printable(user)+" "+l.client,
		"pam_unix(sshd:session): session closed for user "+printable(user))
}
