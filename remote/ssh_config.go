package remote

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote/knownhosts"
)

// options are a host's options for the system's ssh, in its configuration's format. Host key checking is strict, with
// azlin's own file and the VM's id instead of its address.
func (h Host) options(known knownhosts.File) [][2]string {
	return [][2]string{
		{"HostKeyAlias", knownhosts.Alias(h.VMID)},
		{"UserKnownHostsFile", quoteOption(known.Path)},
		{"StrictHostKeyChecking", "yes"},
		{"CheckHostIP", "no"},
		{"RemoteCommand", "none"}, // a value set for all hosts would prevent every command
		{"HostKeyAlgorithms", strings.Join(hostKeyAlgorithms(h.HostKey), ",")},
		{"ServerAliveInterval", seconds(h.Limits.keepAlive())},
		{"ServerAliveCountMax", strconv.Itoa(h.Limits.unanswered())},
	}
}

// proxyOption is the host's ProxyCommand: ssh expands %, and the user's shell runs the rest, with exec before it.
func (h Host) proxyOption() string {
	return strings.ReplaceAll(CommandLine(h.ProxyCommand), "%", "%%")
}

// check refuses values with a special meaning for ssh.
func (h Host) check() error {
	if h.HostKey == nil {
		return h.failure(errkind.HostKey, errors.New("its host key is not known"))
	}
	for what, s := range map[string]string{"address": h.Address, "user": h.user()} {
		if strings.HasPrefix(s, "-") {
			return h.failure(errkind.Invalid, fmt.Errorf("ssh would take the %s %q for an option", what, s))
		}
		if strings.ContainsAny(s, " \t\r\n\"\\") {
			return h.failure(errkind.Invalid, fmt.Errorf("the %s %q has a space, a quote or a backslash in it, which ssh has a meaning for", what, s))
		}
	}
	return nil
}

var configName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*$`)

// ConfigName reports whether an ssh configuration can have a host with this name. Patterns are not allowed, nor are
// parentheses, which the name of a resource group may contain.
func ConfigName(name string) bool { return configName.MatchString(name) }

// ConfigBlock is a block of an ssh configuration through which ssh, and programs that run it, reach the host by any of
// names. The host's key must be in known. ProxyCommand takes precedence over Address.
func (h Host) ConfigBlock(names []string, known knownhosts.File) (string, error) {
	if err := h.check(); err != nil {
		return "", err
	}
	for _, n := range names {
		if !ConfigName(n) {
			return "", h.failure(errkind.Invalid, fmt.Errorf("ssh cannot have a host called %q", n))
		}
	}
	if len(names) == 0 || h.Address == "" && len(h.ProxyCommand) == 0 {
		return "", h.failure(errkind.Invalid, errors.New("it has no name or no address"))
	}
	var b strings.Builder
	line := func(key, value string) { fmt.Fprintf(&b, "    %s %s\n", key, value) }
	fmt.Fprintf(&b, "Host %s\n", strings.Join(names, " "))
	if len(h.ProxyCommand) > 0 {
		line("HostName", knownhosts.Alias(h.VMID)) // nothing in the configuration matches it by address
		line("ProxyCommand", h.proxyOption())
	} else {
		line("HostName", h.Address)
	}
	line("Port", strconv.Itoa(h.port()))
	line("User", h.user())
	for _, o := range h.options(known) {
		line(o[0], o[1])
	}
	for _, path := range h.identities() {
		line("IdentityFile", identity(path))
	}
	if h.KeyPath != "" {
		line("IdentitiesOnly", "yes")
	}
	return b.String(), nil
}
