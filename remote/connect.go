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

// ValidateSession checks a tmux session name: tmux gives '.' and ':' a meaning, and the name ends up in
// a shell line on the VM.
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
	Command    []string        // run this on a terminal instead of a shell; no tmux
	Forwards   []Forward       // ports that lead through the connection as long as it stands
	// ForwardAgent lends the SSH agent to the VM for as long as the connection stands: whoever is root there can use it.
	ForwardAgent bool

	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	Env    []string // of ssh and of Host.ProxyCommand; nil: this process's

	id    string // of the connections of one Connector; see endStale
	again bool   // a connection of that Connector stood before
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
		"-o", "LogLevel=INFO", // it tells why a connection ended
		"-o", "ControlPath=none", // a shared connection that is dead would swallow every new one
		"-p", strconv.Itoa(h.port()), "-l", h.user())
	if in.ForwardAgent {
		args = append(args, "-A")
	} else {
		args = append(args, "-a") // nor by what the user's configuration says of all hosts
	}
	forwards, err := in.forwardArgs()
	if err != nil {
		return nil, err
	}
	args = append(args, forwards...)
	for n, path := range h.identities() {
		// Not -i: ssh looks for that file before it expands %, and for the name that is expanded afterwards.
		args = append(args, "-o", "IdentityFile="+identity(path))
		if n == 0 {
			args = append(args, "-o", "IdentitiesOnly=yes")
		}
	}
	address := h.Address
	if len(h.ProxyCommand) > 0 {
		// What it believes to connect to must be nothing that the user's own configuration has settings for.
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
	// -A joins the session if it exists. A login shell without tmux is better than no shell. sh runs it, as the login shell
	// may have another grammar.
	return "exec sh -c " + Quote(knownTerminal+"if command -v tmux >/dev/null 2>&1; then "+in.mark()+"exec tmux new-session -A -s "+session+
		`; else echo "azlin: tmux is not installed on this VM yet; this shell does not survive a lost connection" >&2; `+
		`exec "${SHELL:-/bin/sh}" -l; fi`), nil
}

// knownTerminal replaces the name of a terminal that the VM has no description of, such as xterm-ghostty: tmux and every
// full-screen program would refuse to start.
const knownTerminal = `if command -v infocmp >/dev/null 2>&1 && ! infocmp >/dev/null 2>&1; then TERM=xterm-256color; export TERM; fi; `

// secondShell keeps bash from reading .bashrc once more: the login shell has done so.
const secondShell = `SHLVL=1; export SHLVL; `

// identity is the path of a private key as the value of ssh's option IdentityFile.
func identity(path string) string { return quoteOption(strings.TrimSuffix(path, ".pub")) }

// seconds writes a duration as ssh's options want it: none of less than a second, and never 0, which is without end.
func seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(d.Seconds()))))
}

// quoteOption writes a path so that ssh's own option parser, which splits at spaces and expands %, reads
// it back unchanged.
func quoteOption(path string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%").Replace(path) + `"`
}
