package host_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/emulator/host"
)

func TestMain(m *testing.M) {
	host.Main()
	os.Exit(m.Run())
}

// lastAddress numbers the addresses of this test binary's VMs.
var lastAddress atomic.Uint32

// nextAddress returns a loopback address that no other test uses.
func nextAddress() netip.Addr {
	n := lastAddress.Add(1)
	return netip.AddrFrom4([4]byte{127, byte(64 + os.Getpid()%12), byte(n >> 8), byte(n)})
}

// lab is a runtime with a client that may log in.
type lab struct {
	*host.Runtime
	t        testing.TB
	dir      string // of the client: key, known_hosts
	key      string
	signer   ssh.Signer
	public   string
	operator netip.Addr
}

func newLab(t testing.TB) *lab {
	t.Helper()
	return newLabIn(t, host.Namespaces)
}

func newLabIn(t testing.TB, mode host.Mode) *lab {
	t.Helper()
	l := &lab{t: t, dir: t.TempDir(), operator: netip.MustParseAddr("203.0.113.10")}
	r, err := host.Open(host.Options{Dir: filepath.Join(t.TempDir(), "hosts"), OperatorIP: l.operator, Mode: mode})
	if err != nil {
		t.Fatal(err)
	}
	l.Runtime = r
	t.Cleanup(func() {
		for _, h := range r.Hosts() {
			if err := r.Remove(t.Context(), h.ID); err != nil {
				t.Error(err)
			}
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := r.Available(); err != nil {
		t.Skip(err)
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	l.key = filepath.Join(l.dir, "key")
	if err := os.WriteFile(l.key, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	if l.signer, err = ssh.NewSignerFromKey(private); err != nil {
		t.Fatal(err)
	}
	l.public = strings.TrimSpace(string(ssh.MarshalAuthorizedKey(l.signer.PublicKey())))
	return l
}

// machine describes a VM that the lab's key may enter.
func (l *lab) machine(name string) host.Machine {
	return host.Machine{
		ID: "/subscriptions/s/" + name, VMID: name + "-id", Hostname: name, AdminUser: "azureuser", AdminKeys: []string{l.public},
		Addresses: []netip.Addr{nextAddress()}, Admitted: true,
	}
}

func (l *lab) start(m host.Machine) {
	l.t.Helper()
	if err := l.Start(l.t.Context(), m); err != nil {
		l.t.Fatal(err)
	}
	if !m.Lazy {
		l.trust(m)
	}
}

// trust records the host key as the serial console shows it.
func (l *lab) trust(m host.Machine) {
	l.t.Helper()
	var lines bytes.Buffer
	for _, address := range m.Addresses {
		fmt.Fprintf(&lines, "[%s]:%d,%s %s\n", address, l.Port(), address, l.hostKey(m))
	}
	f, err := os.OpenFile(filepath.Join(l.dir, "known_hosts"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		l.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(lines.Bytes()); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) hostKey(m host.Machine) string {
	l.t.Helper()
	log, err := l.Console(m.ID)
	if err != nil {
		l.t.Fatal(err)
	}
	_, keys, _ := strings.Cut(string(log), "-----BEGIN SSH HOST KEY KEYS-----\n")
	fields := strings.Fields(keys)
	if len(fields) < 2 {
		l.t.Fatalf("no host key on the console:\n%s", log)
	}
	return fields[0] + " " + fields[1]
}

// options are ssh's, which check the host key and use nothing of the user who runs the tests.
func (l *lab) options() []string {
	return []string{
		"-F", "none", "-i", l.key, "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes",
		"-o", "UserKnownHostsFile=" + filepath.Join(l.dir, "known_hosts"), "-o", "GlobalKnownHostsFile=none", "-o", "ConnectTimeout=10",
	}
}

// ssh prepares the system's ssh to run a command in a VM.
func (l *lab) ssh(m host.Machine, extra []string, command ...string) *exec.Cmd {
	l.t.Helper()
	args := append(append(extra, l.options()...), "-p", strconv.Itoa(l.Port()), m.AdminUser+"@"+m.Addresses[0].String())
	return exec.CommandContext(l.t.Context(), program(l.t, "ssh", "openssh-client"), append(args, command...)...)
}

// sh runs a command in a VM and returns what it printed.
func (l *lab) sh(m host.Machine, command string) string {
	l.t.Helper()
	out, err := l.ssh(m, nil, command).CombinedOutput()
	if err != nil {
		l.t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return strings.TrimSpace(string(out))
}

// client logs in with Go's SSH client.
func (l *lab) client(m host.Machine) *ssh.Client {
	l.t.Helper()
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(l.hostKey(m)))
	if err != nil {
		l.t.Fatal(err)
	}
	config := &ssh.ClientConfig{User: m.AdminUser, Auth: []ssh.AuthMethod{ssh.PublicKeys(l.signer)}, HostKeyCallback: ssh.FixedHostKey(key)}
	c, err := ssh.Dial("tcp", net.JoinHostPort(m.Addresses[0].String(), strconv.Itoa(l.Port())), config)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { c.Close() })
	return c
}

// program finds a program of the system; without it the test is skipped.
func program(t testing.TB, name, from string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is missing: install %s", name, from)
	}
	return path
}

func itoa(n int) string { return strconv.Itoa(n) }

func TestLogin(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	m := l.machine("vm1")
	l.start(m)
	for command, want := range map[string]string{
		"hostname":          "vm1",
		"id -un":            "azureuser",
		"id -u":             "1000",
		"echo $HOME $SHELL": "/home/azureuser /bin/bash",
		"pwd":               "/home/azureuser",
		"sudo id -u":        "0",
		"sudo -n whoami":    "root",
		". /etc/os-release; echo $ID $VERSION_ID": "ubuntu 24.04",
		"grep -q 'Accepted publickey for azureuser from 203.0.113.10 port .* ED25519 SHA256:' /var/log/auth.log": "",
		"exit 0":                      "",
		"set -- $SSH_CLIENT; echo $1": l.operator.String(),
	} {
		if got := l.sh(m, command); got != want {
			t.Errorf("%s: %q, want %q", command, got, want)
		}
	}
}
