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

// Forward is a port of this machine that leads to an address as the VM knows it.
type Forward struct {
	LocalPort int    `json:"local_port"` // 0: the system chooses
	Host      string `json:"host"`
	Port      int    `json:"port"`
}

// target is where it leads.
func (f Forward) target() string { return net.JoinHostPort(f.Host, strconv.Itoa(f.Port)) }

// String is the forward as ParseForward and ssh -L read it.
func (f Forward) String() string { return strconv.Itoa(f.LocalPort) + ":" + f.target() }

// ParseForward reads [127.0.0.1:]PORT:HOST:HOSTPORT as ssh -L has it, and the short forms PORT:HOSTPORT and PORT, whose
// host is the VM itself. IPv6 addresses stand in brackets. PORT 0 is one that the system chooses.
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

// split takes 1 to 4 parts apart at the colons that do not stand in brackets.
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
