package sshd

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"golang.org/x/crypto/ssh"
)

// grantsKey is where a connection's permissions keep what its key may do.
type grantsKey struct{}

// grants is what the options of an authorized_keys line leave of sshd's defaults.
type grants struct {
	Key     string // its type and fingerprint
	Command string // the only command, whatever the client asks for
	PTY     bool
	Forward bool
	Agent   bool
}

var errDenied = errors.New("no key of the user's matches")

// authenticate looks for the key among those the user has in the VM at this moment.
func (s *Server) authenticate(ctx context.Context, user string, key ssh.PublicKey) (*ssh.Permissions, error) {
	data, err := s.Guest.AuthorizedKeys(ctx, user)
	if err != nil {
		return nil, err
	}
	g, ok := findKey(data, key)
	if !ok {
		return nil, errDenied
	}
	g.Key = strings.ToUpper(strings.TrimPrefix(key.Type(), "ssh-")) + " " + ssh.FingerprintSHA256(key)
	return &ssh.Permissions{ExtraData: map[any]any{grantsKey{}: g}}, nil
}

// findKey returns what the first line with the key grants. Lines it cannot read, or with options it does not
// honour, are as good as absent: reading them otherwise could only grant more than they say.
func findKey(data []byte, key ssh.PublicKey) (grants, bool) {
	wanted := key.Marshal()
	for line := range bytes.Lines(data) {
		if line = bytes.TrimSpace(line); len(line) == 0 || line[0] == '#' {
			continue
		}
		have, _, options, _, err := ssh.ParseAuthorizedKey(line)
		if err != nil || !bytes.Equal(have.Marshal(), wanted) {
			continue
		}
		if g, ok := parseOptions(options); ok {
			return g, true
		}
	}
	return grants{}, false
}

func parseOptions(options []string) (grants, bool) {
	g := grants{PTY: true, Forward: true, Agent: true}
	for _, option := range options {
		name, value, _ := strings.Cut(option, "=")
		switch strings.ToLower(name) {
		case "restrict":
			g.PTY, g.Forward, g.Agent = false, false, false
		case "pty", "no-pty":
			g.PTY = name[0] == 'p' || name[0] == 'P'
		case "port-forwarding":
			g.Forward = true
		case "no-port-forwarding":
			g.Forward = false
		case "agent-forwarding":
			g.Agent = true
		case "no-agent-forwarding":
			g.Agent = false
		case "command":
			g.Command = strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(value, `"`), `"`), `\"`, `"`)
			if g.Command == "" {
				return grants{}, false
			}
		case "x11-forwarding", "no-x11-forwarding", "user-rc", "no-user-rc":
			// There is neither here.
		default:
			return grants{}, false
		}
	}
	return g, true
}
