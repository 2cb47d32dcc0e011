package sshd

import (
	"bytes"
	"crypto/ed25519"
	"testing"

	"golang.org/x/crypto/ssh"
)

func key(t testing.TB, seed byte) (ssh.PublicKey, string) {
	t.Helper()
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	k, err := ssh.NewPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return k, string(bytes.TrimSpace(ssh.MarshalAuthorizedKey(k)))
}

func TestFindKey(t *testing.T) {
	t.Parallel()
	mine, line := key(t, 1)
	_, other := key(t, 2)
	all := grants{PTY: true, Forward: true, Agent: true}
	for _, tt := range []struct {
		name, file string
		want       grants
		found      bool
	}{
		{"alone", line, all, true},
		{"with a comment and others", "# x\n\n" + other + " them\n" + line + " me\n", all, true},
		{"absent", other, grants{}, false},
		{"commented out", "#" + line, grants{}, false},
		{"garbage before", "ssh-ed25519 %%%\n" + line, all, true},
		{"restricted", "restrict " + line, grants{}, true},
		{"restricted but for a terminal", "restrict,pty " + line, grants{PTY: true}, true},
		{"no forwarding", "no-port-forwarding,no-agent-forwarding,no-X11-forwarding " + line, grants{PTY: true}, true},
		{"a command", `command="echo \"hi\"" ` + line, grants{Command: `echo "hi"`, PTY: true, Forward: true, Agent: true}, true},
		{"an option not honoured", `from="10.0.0.1" ` + line, grants{}, false},
		{"an expiry", `expiry-time="20200101" ` + line, grants{}, false},
		{"a certificate authority", "cert-authority " + line, grants{}, false},
		{"the second line counts", `from="10.0.0.1" ` + line + "\nno-pty " + line, grants{Forward: true, Agent: true}, true},
	} {
		got, found := findKey([]byte(tt.file), mine)
		if found != tt.found || got != tt.want {
			t.Errorf("%s: %+v %t, want %+v %t", tt.name, got, found, tt.want, tt.found)
		}
	}
}

func FuzzFindKey(f *testing.F) {
	mine, line := key(f, 1)
	f.Add([]byte("no-pty " + line))
	f.Add([]byte(`command="x" ` + line))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, found := findKey(data, mine); found && !bytes.Contains(data, []byte(line[len("ssh-ed25519 "):len(line)-2])) {
			t.Errorf("found in %q", data)
		}
	})
}

func TestDestination(t *testing.T) {
	t.Parallel()
	s := &Server{Hostname: "Box"}
	for host, want := range map[string]string{
		"localhost": "127.0.0.1:80", "127.77.0.3": "127.77.0.3:80", "::1": "[::1]:80", "box": "127.0.0.1:80",
		"10.0.0.1": "", "169.254.169.254": "", "0.0.0.0": "", "example.com": "", "": "",
	} {
		got, err := s.destination(host, 80)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q %v, want %q", host, got, err, want)
		}
	}
	if _, err := s.destination("localhost", 70000); err == nil {
		t.Error("port 70000")
	}
}
