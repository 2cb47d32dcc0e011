package remote

import (
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote/knownhosts"
)

// DefaultSession is the tmux session that an interactive connection joins.
const DefaultSession = "azlin"

var sessionName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// ValidateSession checks a tmux session name: '.' and ':' are special in tmux, and the name becomes part of a shell line on
// the VM.
func ValidateSession(name string) error {
	if !sessionName.MatchString(name) {
		e := errkind.New(errkind.Invalid, "session name %q: use 1 to 64 letters, digits, - or _", name)
		e.Next = errkind.Step{Action: errkind.JoinTmux, Name: name}
		return e
	}
	return nil
}

// Interactive is one interactive connection through the system's ssh.
type Interactive struct {
	Host       Host
	KnownHosts knownhosts.File // must hold the host's key
	Session    string          // tmux session to join or create; empty: DefaultSession
	NoTmux     bool            // a plain login shell
	Command    []string        // run this on a terminal instead of a shell, without tmux
	Forwards   []Forward       // port forwards that exist as long as the connection
	// ForwardAgent forwards the SSH agent to the VM while connected: root on the VM can use it.
	ForwardAgent bool

	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	Env    []string // for ssh and Host.ProxyCommand; nil: this process's

	id    string // of one Connector's connections; see endStale
	again bool   // that Connector had a connection before
}

// Args returns the arguments for the system's ssh.
func (in Interactive) Args() ([]string, error) {
	h := in.Host
	if err := h.check(); err != nil {
		return nil, err
	}
	var args []string
	for _, o := range h.options(in.KnownHosts) {
		args = append(args, "-o", o[0]+"="+o[1])
	}
	args = append(args,
		"-o", "ConnectTimeout="+seconds(h.Limits.connect()),
		"-o", "LogLevel=INFO", // prints why a connection ended
		"-o", "ControlPath=none", // a dead shared connection would block every new one
		"-p", strconv.Itoa(h.port()), "-l", h.user())
	if in.ForwardAgent {
		args = append(args, "-A")
	} else {
		args = append(args, "-a") // overrides the user's configuration for all hosts
	}
	forwards, err := in.forwardArgs()
	if err != nil {
		return nil, err
	}
	args = append(args, forwards...)
	for n, path := range h.identities() {
		// Not -i: ssh would check for the file before it expands %, and use the expanded name.
		args = append(args, "-o", "IdentityFile="+identity(path))
		if n == 0 {
			args = append(args, "-o", "IdentitiesOnly=yes")
		}
	}
	address := h.Address
	if len(h.ProxyCommand) > 0 {
		// The host name passed to ssh must not match any host in the user's configuration.
		args = append(args, "-o", "ProxyCommand="+h.proxyOption())
		address = knownhosts.Alias(h.VMID)
	}
	remote, err := in.remoteCommand()
	if err != nil {
		return nil, err
	}
	if remote == "" {
		return append(args, "--", address), nil
	}
	return append(args, "-t", "--", address, remote), nil
}

func (in Interactive) remoteCommand() (string, error) {
	if len(in.Command) > 0 {
		return CommandLine([]string{"exec", "sh", "-c", knownTerminal + secondShell + `exec "${SHELL:-/bin/sh}" -c "$1"`, "azlin", CommandLine(in.Command)}), nil
	}
	if in.NoTmux {
		return "", nil
	}
	session := in.Session
	if session == "" {
		session = DefaultSession
	}
	if err := ValidateSession(session); err != nil {
		return "", err
	}
	// -A joins an existing session. Without tmux it falls back to a login shell. sh runs it, because the login shell may
	// have another syntax.
	return "exec sh -c " + Quote(knownTerminal+"if command -v tmux >/dev/null 2>&1; then "+in.mark()+"exec tmux new-session -A -s "+session+
		`; else echo "azlin: tmux is not installed on this VM yet; this shell does not survive a lost connection" >&2; `+
		`exec "${SHELL:-/bin/sh}" -l; fi`), nil
}

// knownTerminal replaces a terminal name unknown to the VM, such as xterm-ghostty: tmux and every full-screen program would
// refuse to start.
const knownTerminal = `if command -v infocmp >/dev/null 2>&1 && ! infocmp >/dev/null 2>&1; then TERM=xterm-256color; export TERM; fi; `

// secondShell prevents bash from reading .bashrc again after the login shell.
const secondShell = `SHLVL=1; export SHLVL; `

// identity is the path of a private key as a value of ssh's option IdentityFile.
func identity(path string) string { return quoteOption(strings.TrimSuffix(path, ".pub")) }

// seconds formats a duration for ssh's options: rounded up to at least a second, because 0 means no limit.
func seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(d.Seconds()))))
}

// quoteOption quotes a path for ssh's option parser, which splits at spaces and expands %.
func quoteOption(path string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%").Replace(path) + `"`
}
