package remote

import (
	"net"
	"path"
	"strconv"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
)

// ForwardKind is the direction of a forward.
type ForwardKind string

// The kinds of forwards, named after ssh's flags.
const (
	LocalForward   ForwardKind = "L" // a local port leads to an address reached from the VM
	RemoteForward  ForwardKind = "R" // a port of the VM leads to an address reached from this machine
	DynamicForward ForwardKind = "D" // a local port is a SOCKS proxy through the VM
)

// Forward is one forward of an interactive connection. Create it with ParseForward.
type Forward struct {
	Kind ForwardKind
	Spec string // in ssh's syntax
}

// ParseForward checks a forward in the syntax of ssh's flag of the same letter: [ADDRESS:]PORT:HOST:HOSTPORT, where either
// end may be the path of a Unix socket, and [ADDRESS:]PORT for a dynamic or remote one. IPv6 addresses are in brackets.
func ParseForward(kind ForwardKind, spec string) (Forward, error) {
	bad := func(format string, args ...any) (Forward, error) {
		return Forward{}, errkind.New(errkind.Invalid, "forward -"+string(kind)+" %q: "+format, append([]any{spec}, args...)...)
	}
	if strings.ContainsFunc(spec, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return bad("it holds a space or a control character")
	}
	fields, ok := splitForward(spec)
	if !ok {
		return bad("an IPv6 address stands in brackets, as in [::1]:8080")
	}
	listen, target := forwardEnds(kind, fields)
	switch {
	case listen == nil:
		return bad("write %s", forwardForm(kind))
	case kind == DynamicForward && len(target) > 0:
		return bad("write %s", forwardForm(kind))
	case kind == LocalForward && len(target) == 0:
		return bad("it leads nowhere; write %s", forwardForm(kind))
	case kind == DynamicForward && isSocket(listen[0]):
		return bad("a SOCKS proxy listens at a port")
	}
	if what := wrongEnd(listen, kind == RemoteForward); what != "" {
		return bad("%s", what)
	}
	if what := wrongEnd(target, false); what != "" {
		return bad("%s", what)
	}
	if len(target) == 1 && !isSocket(target[0]) || len(target) == 2 && target[0] == "" {
		return bad("it leads nowhere; write %s", forwardForm(kind))
	}
	return Forward{kind, spec}, nil
}

func forwardForm(kind ForwardKind) string {
	switch kind {
	case DynamicForward:
		return "[ADDRESS:]PORT"
	case RemoteForward:
		return "[ADDRESS:]PORT[:HOST:HOSTPORT]"
	}
	return "[ADDRESS:]PORT:HOST:HOSTPORT"
}

// splitForward splits a forward at its colons, except those in brackets, and removes the brackets.
func splitForward(spec string) (fields []string, ok bool) {
	for {
		field, rest, more := strings.Cut(spec, ":")
		if strings.HasPrefix(spec, "[") {
			inside, after, closed := strings.Cut(spec[1:], "]")
			if !closed || after != "" && after[0] != ':' || net.ParseIP(strings.Split(inside, "%")[0]) == nil {
				return nil, false
			}
			field, more = inside, after != ""
			rest = strings.TrimPrefix(after, ":")
		} else if strings.ContainsAny(field, "[]") {
			return nil, false
		}
		if fields = append(fields, field); !more {
			return fields, true
		}
		spec = rest
	}
}

func isSocket(s string) bool { return path.IsAbs(s) }

// forwardEnds splits the fields into the listening end and the target; listen is nil when they are not a forward.
func forwardEnds(kind ForwardKind, f []string) (listen, target []string) {
	switch {
	case len(f) == 1 || kind == DynamicForward && len(f) <= 2:
		return f, nil
	case len(f) == 2 && kind == RemoteForward && !isSocket(f[0]) && !isSocket(f[1]):
		return f, nil // [ADDRESS:]PORT: dynamic
	case len(f) == 2 || len(f) == 3 && isSocket(f[0]):
		return f[:1], f[1:]
	case len(f) == 3 && isSocket(f[2]):
		return f[:2], f[2:]
	case len(f) == 3:
		return f[:1], f[1:]
	case len(f) == 4 && !isSocket(f[0]):
		return f[:2], f[2:]
	}
	return nil, nil
}

// wrongEnd describes what is wrong with one end, which must be a socket, a port, or an address with a port.
func wrongEnd(end []string, zero bool) string {
	if len(end) == 0 || len(end) == 1 && isSocket(end[0]) {
		return ""
	}
	port := end[len(end)-1]
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 && !zero {
		return strconv.Quote(port) + " is not a port"
	}
	if len(end) == 2 && strings.HasPrefix(end[0], "-") {
		return strconv.Quote(end[0]) + " is not an address"
	}
	return ""
}

// forwardArgs are ssh's arguments. ssh fails if a forward cannot be established, because the user would assume that it
// works.
func (in Interactive) forwardArgs() ([]string, error) {
	if len(in.Forwards) == 0 {
		return nil, nil
	}
	args := []string{"-o", "ExitOnForwardFailure=yes"}
	if in.again {
		args = append(args, "-o", "StreamLocalBindUnlink=yes") // existing sockets are from the previous connection
	}
	for _, f := range in.Forwards {
		if _, err := ParseForward(f.Kind, f.Spec); err != nil {
			return nil, err
		}
		args = append(args, "-"+string(f.Kind), f.Spec)
	}
	return args, nil
}

func (in Interactive) hasRemoteForwards() bool {
	for _, f := range in.Forwards {
		if f.Kind == RemoteForward {
			return true
		}
	}
	return false
}
