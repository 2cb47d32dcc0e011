package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
)

// DefaultSession is the tmux session that an interactive connection joins.
const DefaultSession = "azlin"

var sessionName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// ValidateSession checks a tmux session name: tmux gives '.' and ':' a meaning, and the name ends up in
// a shell line on the VM.
func ValidateSession(name string) error {
	if !sessionName.MatchString(name) {
		return errkind.New(errkind.Invalid, "session name %q: use 1 to 64 letters, digits, - or _", name)
	}
	return nil
}

// Interactive is one interactive connection through the system's ssh.
type Interactive struct {
	Host       Host
	KnownHosts KnownHosts // must hold the host's key
	Session    string     // tmux session to join or create; empty: DefaultSession
	NoTmux     bool       // a plain login shell
	Command    []string   // run this on a terminal instead of a shell; no tmux
	Stdin      io.Reader
	Stdout     io.Writer
	Stderr     io.Writer
}

// DisconnectExitCode is what ssh returns when the connection, and not the remote command, failed.
const DisconnectExitCode = 255

// IsDisconnectExitCode reports whether an exit code of ssh means that the connection was lost.
func IsDisconnectExitCode(code int) bool { return code == DisconnectExitCode }

// Connect runs the session until it ends and returns ssh's exit code: the remote command's own, or 255
// when the connection failed.
func Connect(ctx context.Context, in Interactive) (exitCode int, err error) {
	argv, err := in.Args()
	if err != nil {
		return 0, err
	}
	path, err := exec.LookPath("ssh")
	if err != nil {
		return 0, &errkind.Error{
			Kind: errkind.Prerequisite, Op: "connect to", Resource: in.Host.name(), Class: ErrConnection,
			Err: errors.New("ssh is not installed (Debian, Ubuntu: apt install openssh-client)"),
		}
	}
	cmd := exec.CommandContext(ctx, path, argv...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in.Stdin, in.Stdout, in.Stderr
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, nil
	case ctx.Err() != nil:
		return 0, context.Cause(ctx)
	case errors.As(err, &exit) && exit.Exited():
		return exit.ExitCode(), nil
	}
	return 0, in.Host.failure(errkind.Unreachable, err)
}

// Args returns the arguments for the system's ssh. Its host key check is strict and against azlin's own
// file, under the VM's id instead of its address.
func (in Interactive) Args() ([]string, error) {
	h := in.Host
	if h.HostKey == nil {
		return nil, h.failure(errkind.HostKey, errors.New("its host key is not known"))
	}
	if strings.HasPrefix(h.Address, "-") || strings.HasPrefix(h.user(), "-") {
		return nil, h.failure(errkind.Invalid, fmt.Errorf("address %q or user %q looks like an option", h.Address, h.user()))
	}
	args := []string{
		"-o", "HostKeyAlias=" + alias(h.VMID),
		"-o", "UserKnownHostsFile=" + quoteOption(in.KnownHosts.Path),
		"-o", "StrictHostKeyChecking=yes",
		"-o", "CheckHostIP=no",
		"-o", "HostKeyAlgorithms=" + strings.Join(hostKeyAlgorithms(h.HostKey), ","),
		"-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=3", "-o", "ConnectTimeout=15",
		"-o", "LogLevel=ERROR",
		"-p", strconv.Itoa(h.port()), "-l", h.user(),
	}
	if h.KeyPath != "" {
		args = append(args, "-i", strings.ReplaceAll(strings.TrimSuffix(h.KeyPath, ".pub"), "%", "%%"), "-o", "IdentitiesOnly=yes")
	}
	remote, err := in.remoteCommand()
	if err != nil {
		return nil, err
	}
	if remote == "" {
		return append(args, "--", h.Address), nil
	}
	return append(args, "-t", "--", h.Address, remote), nil
}

func (in Interactive) remoteCommand() (string, error) {
	if len(in.Command) > 0 {
		return CommandLine(in.Command), nil
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
	// -A joins the session if it exists. A login shell without tmux is better than no shell.
	return "if command -v tmux >/dev/null 2>&1; then exec tmux new-session -A -s " + session +
		`; else echo "azlin: tmux is not installed on this VM yet; this shell does not survive a lost connection" >&2; ` +
		`exec "${SHELL:-/bin/sh}" -l; fi`, nil
}

// quoteOption writes a path so that ssh's own option parser, which splits at spaces and expands %, reads
// it back unchanged.
func quoteOption(path string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%").Replace(path) + `"`
}
