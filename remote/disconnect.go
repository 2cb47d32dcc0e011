package remote

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
)

// DisconnectExitCode is ssh's exit code when the connection failed.
const DisconnectExitCode = 255

// IsDisconnectExitCode reports whether an exit code of ssh means that the connection was lost.
func IsDisconnectExitCode(code int) bool { return code == DisconnectExitCode }

// ShouldAttemptReconnect reports whether reconnecting makes sense after this exit code of ssh. A ReconnectHandler checks
// further: refused keys cause the same code.
func ShouldAttemptReconnect(code int) bool { return IsDisconnectExitCode(code) }

// Cause is why ssh ended with DisconnectExitCode.
type Cause string

// The causes that a ReconnectHandler distinguishes.
const (
	CauseNetwork Cause = "network" // there was no connection, or it was lost
	CauseKey     Cause = "key"     // the VM accepts none of the offered keys
	CauseHostKey Cause = "hostkey" // another machine answers
	CauseForward Cause = "forward" // a forward cannot be established
	CauseRemote  Cause = "remote"  // the connection is fine: the remote command ended with this code
)

// OpenSSH's messages, in order of priority. They are in English in every locale.
var sayings = [...]struct {
	cause Cause
	text  string
}{
	{CauseHostKey, "Host key verification failed"},
	{CauseHostKey, "REMOTE HOST IDENTIFICATION HAS CHANGED"},
	{CauseHostKey, "no matching host key type found"},
	{CauseKey, ": Permission denied ("},
	{CauseKey, "Too many authentication failures"},
	{CauseForward, "Could not request local forwarding"},
	{CauseForward, "remote port forwarding failed"},
	{CauseForward, "Bad local forwarding specification"},
	{CauseForward, "Bad remote forwarding specification"},
	{CauseForward, "Bad dynamic forwarding specification"},
}

// lossOfASession are its messages when a connection with a session ends.
var lossOfASession = [...]string{"client_loop: ", "Timeout, server ", " closed by remote host", "Read from remote host "}

// cause returns why ssh ended with DisconnectExitCode. tmux reports whether it ran tmux, which does not end with this code
// itself; but when a VM shuts down, its processes are killed, and ssh prints nothing.
func (e ended) cause(tmux bool) Cause {
	for _, s := range sayings {
		if strings.Contains(e.said, s.text) {
			return s.cause
		}
	}
	if e.slept || e.killed || tmux {
		return CauseNetwork
	}
	for line := range strings.Lines(e.said) {
		if strings.TrimSpace(line) != "" && !noise([]byte(line)) {
			return CauseNetwork
		}
	}
	return CauseRemote // otherwise ssh would have printed a message
}

// stood reports whether there was a session before the connection was lost.
func (e ended) stood(l Limits) bool {
	if e.slept || e.killed || e.lasted > l.connect()+l.handshake() || e.last() == "" {
		return true
	}
	for _, s := range lossOfASession {
		if strings.Contains(e.said, s) {
			return true
		}
	}
	return false
}

// last is ssh's last meaningful line.
func (e ended) last() string {
	found := ""
	for line := range strings.Lines(e.said) {
		if line = strings.TrimSpace(line); line != "" && !noise([]byte(line)) {
			found = line
		}
	}
	return found
}

// unbound is ssh's message that it cannot listen on a local port, which is not its last line.
func (e ended) unbound() string {
	for line := range strings.Lines(e.said) {
		if strings.HasPrefix(line, "bind [") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// ErrForward is the cause when a forward could not be established.
var ErrForward = errors.New("a forward cannot be had")

// lossError is the error for a lost session, from ssh's messages.
func (in Interactive) lossError(e ended) error {
	h := in.Host
	switch e.cause(in.tmux()) {
	case CauseKey:
		return h.failure(errkind.Permission, fmt.Errorf("%w for user %s", ErrKeyRefused, h.user()))
	case CauseHostKey:
		return h.failure(errkind.HostKey, errors.New("the machine that answers does not have the host key that is recorded"))
	case CauseForward:
		return h.failure(errkind.Conflict, fmt.Errorf("%w: %s", ErrForward, cmp.Or(e.unbound(), e.last())))
	}
	switch {
	case e.slept:
		return h.failure(errkind.Unreachable, fmt.Errorf("%w: this machine was asleep", ErrLost))
	case e.killed:
		return h.failure(errkind.Unreachable, fmt.Errorf("%w: ssh was killed", ErrLost))
	case e.stood(h.Limits):
		return h.failure(errkind.Unreachable, fmt.Errorf("%w: %s", ErrLost, cmp.Or(e.last(), "the session was killed on the VM")))
	}
	return h.failure(errkind.Unreachable, errors.New(strings.TrimPrefix(e.last(), "ssh: ")))
}
