package tunnel

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
)

// Local is the only address that tunnels listen on.
const Local = "127.0.0.1"

// Forward is a local port that leads to an address as seen from the VM.
type Forward struct {
	LocalPort int    `json:"local_port"` // 0: the system chooses
	Host      string `json:"host"`
	Port      int    `json:"port"`
}

// target is its target address.
func (f Forward) target() string { return net.JoinHostPort(f.Host, strconv.Itoa(f.Port)) }

// String is the forward in the syntax of ParseForward and ssh -L.
func (f Forward) String() string { return strconv.Itoa(f.LocalPort) + ":" + f.target() }

// ParseForward parses [127.0.0.1:]PORT:HOST:HOSTPORT as ssh -L does, and the short forms PORT:HOSTPORT and PORT, whose host
// is the VM itself. IPv6 addresses are in brackets. For PORT 0 the system chooses a port.
func ParseForward(s string) (Forward, error) {
	bad := func(format string, args ...any) (Forward, error) {
		return Forward{}, errkind.New(errkind.Invalid, "forward %q: %s", s, fmt.Sprintf(format, args...))
	}
	parts, ok := split(s)
	if !ok {
		return bad("write PORT, PORT:HOSTPORT or PORT:HOST:HOSTPORT; an IPv6 address stands in brackets")
	}
	if len(parts) == 4 {
		if parts[0] != Local && parts[0] != "localhost" {
			return bad("a tunnel listens on %s only, for programs of this machine", Local)
		}
		parts = parts[1:]
	}
	f := Forward{Host: "localhost"}
	ports := []string{parts[0], parts[len(parts)-1]}
	if len(parts) == 3 {
		if f.Host = parts[1]; !validHost(f.Host) {
			return bad("%q is not a host", f.Host)
		}
	}
	for n, into := range []*int{&f.LocalPort, &f.Port} {
		port, err := strconv.ParseUint(ports[n], 10, 16)
		if err != nil || port == 0 && n == 1 {
			return bad("%q is not a port", ports[n])
		}
		*into = int(port)
	}
	return f, nil
}

// split splits at colons outside brackets, into 1 to 4 parts.
func split(s string) ([]string, bool) {
	var parts []string
	for {
		part, rest, more := strings.Cut(s, ":")
		if inside, ok := strings.CutPrefix(s, "["); ok {
			address, after, closed := strings.Cut(inside, "]")
			if a, err := netip.ParseAddr(address); !closed || err != nil || !a.Is6() || after != "" && after[0] != ':' {
				return nil, false
			}
			part, more = address, after != ""
			rest = strings.TrimPrefix(after, ":")
		}
		if parts = append(parts, part); !more {
			return parts, len(parts) <= 4
		}
		s = rest
	}
}

func validHost(s string) bool {
	return s != "" && len(s) <= 253 && s[0] != '-' && strings.IndexFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune("[]/\\@\"'`", r)
	}) < 0
}
