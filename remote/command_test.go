package remote_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/knownhosts"
	"github.com/azlin-dev/azlin/test/local/machine"
)

func FuzzQuote(f *testing.F) {
	for _, s := range []string{"", "plain", "it's", "$(id)", "a b", "-n", "\n", "`x`", "é", "~", "*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsRune(s, 0) {
			return // no argument can hold one
		}
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf %s "+remote.Quote(s)).Output()
		if err != nil || string(out) != s {
			t.Errorf("Quote(%q) = %s arrives as %q, %v", s, remote.Quote(s), out, err)
		}
	})
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		argv []string
		want string
	}{
		{[]string{"echo $HOME | wc"}, "echo $HOME | wc"}, // one argument is a line for the shell, as with ssh
		{[]string{"sh", "-c", "exit 42"}, "sh -c 'exit 42'"},
		{[]string{"echo", "$HOME", ""}, "echo '$HOME' ''"},
	} {
		if got := remote.CommandLine(test.argv); got != test.want {
			t.Errorf("%q: got %s, want %s", test.argv, got, test.want)
		}
	}
}

func TestSessionNames(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{
		"azlin": true, "a_b-1": true, "": false, "a b": false, "a;id": false, "a.b": false, "a:b": false,
		strings.Repeat("x", 65): false, "$(id)": false,
	} {
		if err := remote.ValidateSession(name); (err == nil) != ok {
			t.Errorf("%q: got %v", name, err)
		} else if err != nil && errkind.Of(err) != errkind.Invalid {
			t.Errorf("%q: kind %q", name, errkind.Of(err))
		}
	}
}

func TestSSHArguments(t *testing.T) {
	t.Parallel()
	key, _ := machine.HostKey(t)
	in := remote.Interactive{
		Host:       remote.Host{VMID: "ABC", Address: "192.0.2.1", Port: 2222, KeyPath: "/k/a b.pub", HostKey: key},
		KnownHosts: knownhosts.File{Path: "/home/me 100%/known_hosts"},
		Session:    "work",
	}
	args, err := in.Args()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"HostKeyAlias=azlin-abc", `UserKnownHostsFile="/home/me 100%%/known_hosts"`, "StrictHostKeyChecking=yes",
		"IdentitiesOnly=yes", `IdentityFile="/k/a b"`, "2222", "192.0.2.1",
	} {
		if !slices.Contains(args, want) {
			t.Errorf("%q is not in %q", want, args)
		}
	}
	if last := args[len(args)-1]; !strings.Contains(last, "tmux new-session -A -s work") {
		t.Errorf("the remote command is %q", last)
	}
	// The real ssh understands every one of them and reads the path back unchanged.
	if out, err := exec.CommandContext(t.Context(), "ssh", append([]string{"-G"}, args...)...).Output(); err != nil {
		t.Errorf("ssh refuses the arguments: %v", err)
	} else if !strings.Contains(string(out), "userknownhostsfile /home/me 100%/known_hosts\n") && !strings.Contains(string(out), `userknownhostsfile "/home/me 100%/known_hosts"`) {
		t.Errorf("ssh reads %s", out)
	}
	in.Command = []string{"sh", "-c", "exit 3"}
	if args, err = in.Args(); err != nil || !strings.HasSuffix(args[len(args)-1], ` azlin 'sh -c '\''exit 3'\'''`) {
		t.Errorf("got %q, %v", args, err)
	}
}

func TestSSHArgumentsRefuse(t *testing.T) {
	t.Parallel()
	key, _ := machine.HostKey(t)
	known := knownhosts.File{Path: filepath.Join(t.TempDir(), "k")}
	for want, in := range map[string]remote.Interactive{
		"host key is not known":                           {Host: remote.Host{Address: "192.0.2.1"}, KnownHosts: known},
		`the address "-oProxyCommand=id" for an option`:   {Host: remote.Host{Address: "-oProxyCommand=id", HostKey: key}, KnownHosts: known},
		`the user "-oX" for an option`:                    {Host: remote.Host{Address: "192.0.2.1", User: "-oX", HostKey: key}, KnownHosts: known},
		`the user "a b" has a space`:                      {Host: remote.Host{Address: "192.0.2.1", User: "a b", HostKey: key}, KnownHosts: known},
		`session name "$(id)": use 1 to 64 letters, digi`: {Host: remote.Host{Address: "192.0.2.1", HostKey: key}, KnownHosts: known, Session: "$(id)"},
	} {
		if args, err := in.Args(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %q, %v", want, args, err)
		}
	}
}
