//go:build unix

package userland

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/azlin-dev/azlin/emulator/host/agent/account"
	"github.com/azlin-dev/azlin/emulator/host/agent/isolation"
	"github.com/azlin-dev/azlin/emulator/host/wire"
)

const sudoUsage = `usage: sudo [-EHins] [-u user] [VAR=value] [-i | -s] [command [arg ...]]
       sudo -l | -v | -k | -K | -V
`

// sudoOptions is a parsed command line of sudo.
type sudoOptions struct {
	user        string
	login       bool // -i
	shell       bool // -s
	keepEnv     bool // -E
	query       byte // l, v, k or V; 0: run a command
	assignments []string
	argv        []string
}

// parseSudo reads sudo's arguments, as far as scripts use them.
func parseSudo(args []string) (sudoOptions, error) {
	o := sudoOptions{user: "root"}
	for len(args) > 0 {
		arg := args[0]
		switch {
		case arg == "--":
			args = args[1:]
			return o.command(args)
		case arg == "--user" || strings.HasPrefix(arg, "--user="):
			value, ok := strings.CutPrefix(arg, "--user=")
			if !ok {
				if len(args) < 2 {
					return o, fmt.Errorf("option '--user' requires an argument")
				}
				value, args = args[1], args[1:]
			}
			o.user = value
		case strings.HasPrefix(arg, "--"):
			if err := o.long(arg[2:]); err != nil {
				return o, err
			}
		case len(arg) > 1 && arg[0] == '-':
			rest, err := o.short(arg[1:], args[1:])
			if err != nil {
				return o, err
			}
			args = rest
			continue
		default:
			return o.command(args)
		}
		args = args[1:]
	}
	return o.command(nil)
}

func (o *sudoOptions) long(name string) error {
	letters := map[string]string{
		"login": "i", "shell": "s", "preserve-env": "E", "non-interactive": "n", "set-home": "H",
		"list": "l", "validate": "v", "reset-timestamp": "k", "remove-timestamp": "K", "version": "V", "stdin": "S",
	}
	name, _, _ = strings.Cut(name, "=")
	letter, ok := letters[name]
	if !ok {
		return fmt.Errorf("unrecognized option '--%s'", name)
	}
	_, err := o.short(letter, nil)
	return err
}

// short reads one word of single-letter options and returns the arguments after it.
func (o *sudoOptions) short(letters string, rest []string) ([]string, error) {
	for i := range len(letters) {
		switch c := letters[i]; c {
		case 'u', 'p':
			value := letters[i+1:]
			if value == "" {
				if len(rest) == 0 {
					return nil, fmt.Errorf("option requires an argument -- '%c'", c)
				}
				value, rest = rest[0], rest[1:]
			}
			if c == 'u' {
				o.user = value
			}
			return rest, nil
		case 'i':
			o.login = true
		case 's':
			o.shell = true
		case 'E':
			o.keepEnv = true
		case 'n', 'H', 'S', 'A', 'P':
			// Never a password to ask for, and HOME is always the target's.
		case 'l', 'v', 'k', 'K', 'V':
			o.query = c
		default:
			return nil, fmt.Errorf("invalid option -- '%c'", c)
		}
	}
	return rest, nil
}

func (o sudoOptions) command(args []string) (sudoOptions, error) {
	for len(args) > 0 {
		name, _, ok := strings.Cut(args[0], "=")
		if !ok || name == "" || strings.ContainsAny(name, "/ ") {
			break
		}
		o.assignments = append(o.assignments, args[0])
		args = args[1:]
	}
	o.argv = args
	if len(args) == 0 && !o.login && !o.shell && o.query == 0 {
		return o, fmt.Errorf("a command is wanted")
	}
	return o, nil
}

// exec turns the options into what pid 1 is asked to run.
func (o sudoOptions) exec(caller account.Account, env []string, dir string) *wire.Exec {
	e := &wire.Exec{Argv: o.argv, Dir: dir}
	if o.login || o.shell {
		e.Argv, e.Login = nil, o.login
		e.Command = QuoteWords(o.argv)
		if o.login {
			e.Dir = ""
		}
		if o.shell && len(o.argv) == 0 {
			e.Argv = []string{caller.Shell}
		}
	}
	for _, v := range env {
		name, _, _ := strings.Cut(v, "=")
		if o.keepEnv && !slices.Contains([]string{"HOME", "USER", "LOGNAME", "SHELL", "PATH", "MAIL", "_", "PWD", "SHLVL"}, name) ||
			slices.Contains([]string{"TERM", "LANG", "LANGUAGE", "COLORTERM", "DISPLAY", "TZ"}, name) || strings.HasPrefix(name, "LC_") {
			e.Env = append(e.Env, v)
		}
	}
	e.Env = append(e.Env, "SUDO_USER="+caller.Name, fmt.Sprintf("SUDO_UID=%d", caller.UID), fmt.Sprintf("SUDO_GID=%d", caller.GID))
	if len(o.argv) > 0 {
		e.Env = append(e.Env, "SUDO_COMMAND="+strings.Join(o.argv, " "))
	}
	e.Env = append(e.Env, o.assignments...)
	return e
}

// QuoteWords makes a command line of arguments, as sudo -i does.
func QuoteWords(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
	}
	return strings.Join(quoted, " ")
}

// runSudo is the sudo of a VM.
func runSudo(args []string) int {
	o, err := parseSudo(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "sudo: %v\n%s", err, sudoUsage)
		return 1
	}
	switch o.query {
	case 'V':
		fmt.Println("Sudo version 1.9.15p5 (emulated)")
		return 0
	case 'k', 'K':
		return 0
	case 'l', 'v':
		o.argv, o.user = []string{"/bin/true"}, "root"
	}
	if id, err := strconv.Atoi(strings.TrimPrefix(o.user, "#")); err == nil && strings.HasPrefix(o.user, "#") {
		who, err := account.Tree("").LookupID(id)
		if err != nil {
			fmt.Fprintf(os.Stderr, "sudo: unknown user %s\n", o.user)
			return 1
		}
		o.user = who.Name
	}
	caller := currentUser()
	dir, err := os.Getwd()
	if err != nil {
		dir = "/"
	}
	if o.query == 'l' {
		code := attach("sudo", o.user, o.exec(caller, nil, dir))
		if code == 0 {
			host, _ := os.Hostname()
			fmt.Printf("User %s may run the following commands on %s:\n    (ALL) NOPASSWD: ALL\n", caller.Name, host)
		}
		return code
	}
	return attach("sudo", o.user, o.exec(caller, os.Environ(), dir))
}

// runSu is su: to root like sudo, since nobody has a password; to anybody for root.
func runSu(args []string) int {
	target, command, login := "root", "", false
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "-" || arg == "-l" || arg == "--login":
			login = true
		case (arg == "-c" || arg == "--command" || arg == "-s" || arg == "--shell") && i+1 < len(args):
			i++
			if arg == "-c" || arg == "--command" {
				command = args[i]
			}
		case strings.HasPrefix(arg, "-"):
			fmt.Fprintf(os.Stderr, "su: invalid option %s\n", arg)
			return 1
		default:
			target = arg
		}
	}
	dir, err := os.Getwd()
	if err != nil || login {
		dir = ""
	}
	e := &wire.Exec{Command: command, Login: login, Dir: dir}
	if command == "" && !login {
		who, err := account.Tree("").Lookup(target)
		if err != nil {
			fmt.Fprintf(os.Stderr, "su: user %s does not exist\n", target)
			return 1
		}
		e.Argv = []string{who.Shell}
	}
	return attach("su", target, e)
}

// currentUser is who runs this program.
func currentUser() account.Account {
	if who, err := account.Tree("").LookupID(os.Getuid()); err == nil {
		return who
	}
	return account.RootAccount()
}

// socketPath is where pid 1 listens for this user.
func socketPath() string { return filepath.Join(isolation.OwnSocketDir, "sudo") }
