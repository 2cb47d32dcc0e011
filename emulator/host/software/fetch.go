package software

import (
	"net/netip"
	"net/url"
	"strings"
)

// fetch is curl and wget: the host's own for loopback, and for what they say of themselves.
func (s *System) fetch(name string, args []string) int {
	for _, arg := range args {
		host, port, ok := destination(arg)
		if !ok || isLoopback(host) {
			continue
		}
		if name == "wget" {
			s.say("Connecting to %s:%s... failed: Network is unreachable (an emulated VM reaches loopback only).", host, port)
			return 4
		}
		s.say("curl: (7) Failed to connect to %s port %s: Network is unreachable (an emulated VM reaches loopback only)", host, port)
		return 7
	}
	return s.hostOwn(name, args)
}

// destination is where an argument of curl or wget leads, if it is a URL or looks like the name of a host.
// Values of options that do are taken for it, too: refusing too much is the safe side.
func destination(arg string) (host, port string, ok bool) {
	if strings.HasPrefix(arg, "-") {
		if _, value, found := strings.Cut(arg, "="); found {
			return destination(value) // --url=, --proxy=
		}
		return "", "", false
	}
	port = "80"
	scheme, rest, found := strings.Cut(arg, "://")
	if !found {
		rest = arg
		name, _, _ := strings.Cut(rest, "/")
		if !strings.Contains(name, ".") && !strings.Contains(name, ":") || strings.ContainsAny(name, " {}\"'<>") || strings.HasPrefix(arg, "/") || strings.HasPrefix(arg, ".") {
			return "", "", false
		}
		scheme = "http"
	}
	if strings.EqualFold(scheme, "file") {
		return "", "", false
	}
	if strings.EqualFold(scheme, "https") {
		port = "443"
	}
	u, err := url.Parse("http://" + rest)
	if err != nil {
		return rest, port, true
	}
	if u.Port() != "" {
		port = u.Port()
	}
	return u.Hostname(), port, true
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
