package remote_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/emulator/host"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/remote/knownhosts"
	"github.com/azlin-dev/azlin/test/local/machine"
	"github.com/azlin-dev/azlin/test/wait"
)

func TestMain(m *testing.M) {
	host.Main()
	if spec, ok := os.LookupEnv(connectEnv); ok { // on a terminal of its own
		os.Exit(connectAsTold(spec))
	}
	os.Exit(m.Run())
}

func TestExecute(t *testing.T) {
	t.Parallel()
	m := machine.Boot(t)
	for _, test := range []struct {
		line           string
		stdout, stderr string
		code           int
	}{
		{"hostname; whoami", "dev\nazureuser\n", "", 0},
		{"echo out; echo err >&2; exit 42", "out\n", "err\n", 42},
		{"kill -TERM $$", "", "", 143},
		{remote.CommandLine([]string{"printf", "%s|", "a b", "$HOME", ""}), "a b|$HOME||", "", 0},
	} {
		r, err := remote.Execute(t.Context(), m.Host, test.line, 20*time.Second)
		if err != nil {
			t.Errorf("%s: %v", test.line, err)
			continue
		}
		if r.Stdout != test.stdout || r.Stderr != test.stderr || r.ExitCode != test.code || r.Success != (test.code == 0) || r.Duration <= 0 {
			t.Errorf("%s: got %+v", test.line, r)
		}
	}
}

func TestRunStreamsAndCancel(t *testing.T) {
	t.Parallel()
	m := machine.Boot(t)
	c, err := remote.Dial(t.Context(), m.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var out bytes.Buffer
	code, err := c.Run(t.Context(), remote.Command{Line: "tr a-z A-Z", Stdin: strings.NewReader("hello"), Stdout: &out})
	if err != nil || code != 0 || out.String() != "HELLO" {
		t.Errorf("got %d, %v, %q", code, err, out.String())
	}
	// A command that is cancelled ends on the VM, too.
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := c.Run(ctx, remote.Command{Line: "exec sleep 7654"}); !errors.Is(err, remote.ErrExec) || errkind.Of(err) != errkind.Unreachable {
		t.Errorf("a deadline: %v", err)
	}
	wait.Until(t, "the cancelled command has ended on the VM", func() bool {
		r, err := c.Output(t.Context(), "pgrep -f 'sleep 765[4]'")
		if err != nil {
			t.Fatal(err)
		}
		return !r.Success
	})
	cancelled, stop := context.WithCancel(t.Context())
	stop()
	if _, err := c.Run(cancelled, remote.Command{Line: "sleep 60"}); errkind.Of(err) != errkind.Cancelled {
		t.Errorf("cancelled: kind %q of %v", errkind.Of(err), err)
	}
}

// TestACancelledCommandHasNoExitCode: a command that azlin has ended itself did not end by itself, however soon the VM says
// what became of it.
func TestACancelledCommandHasNoExitCode(t *testing.T) {
	t.Parallel()
	m := machine.Boot(t)
	way := &sluggish{address: net.JoinHostPort(m.Address, strconv.Itoa(m.Port))}
	m.Via = way
	c := m.Dial()
	for _, line := range []string{"echo begun; exec sleep 1000", "trap 'exit 5' TERM; echo begun; while :; do sleep 0.01; done"} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		begun := writer(func(b []byte) (int, error) {
			way.slow.Store(true) // the signal gets there, and the end of the channel long after the command's
			cancel()
			return len(b), nil
		})
		code, err := c.Run(ctx, remote.Command{Line: line, Stdout: begun})
		if errkind.Of(err) != errkind.Cancelled {
			t.Errorf("%s: exit code %d, %v", line, code, err)
		}
		way.slow.Store(false)
	}
}

// sluggish is a way to a VM on which, while it is slow, every packet but the first comes late.
type sluggish struct {
	address string
	slow    atomic.Bool
}

func (s *sluggish) Dial(ctx context.Context) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.address)
	return &late{Conn: conn, way: s}, err
}

type late struct {
	net.Conn
	way    *sluggish
	passed bool
}

func (l *late) Write(b []byte) (int, error) {
	if !l.way.slow.Load() {
		l.passed = false
	} else if l.passed {
		<-time.After(500 * time.Millisecond)
	} else {
		l.passed = true
	}
	return l.Conn.Write(b)
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

func TestDialRefusals(t *testing.T) {
	t.Parallel()
	m := machine.Boot(t)
	stranger, _ := machine.HostKey(t)
	strangersKey, err := keypair.GenerateKeyPair(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*remote.Host)
		kind   errkind.Kind
		class  error
		says   string
	}{
		"another machine":    {func(h *remote.Host) { h.HostKey = stranger }, errkind.HostKey, remote.ErrHostKey, "the machine showed"},
		"no host key known":  {func(h *remote.Host) { h.HostKey = nil }, errkind.HostKey, remote.ErrHostKey, "not known"},
		"a key it refuses":   {func(h *remote.Host) { h.KeyPath = strangersKey.Private }, errkind.Permission, remote.ErrKeyRefused, "azureuser"},
		"a user it has not":  {func(h *remote.Host) { h.User = "mallory" }, errkind.Permission, remote.ErrKeyRefused, "mallory"},
		"no key at all":      {func(h *remote.Host) { h.KeyPath = "" }, errkind.Permission, remote.ErrConnection, "no key"},
		"an absent key file": {func(h *remote.Host) { h.KeyPath = "/nonexistent" }, errkind.Invalid, keypair.ErrKey, "/nonexistent"},
		"nobody listens":     {func(h *remote.Host) { h.Port = 1 }, errkind.Unreachable, remote.ErrConnection, "refused"},
	} {
		h := m.Host
		test.change(&h)
		c, err := remote.Dial(t.Context(), h)
		if err == nil {
			_ = c.Close() // the test has failed already
			t.Errorf("%s: connected", name)
			continue
		}
		if errkind.Of(err) != test.kind || !errors.Is(err, test.class) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got kind %q: %v", name, errkind.Of(err), err)
		}
		if remote.TestConnection(t.Context(), h, time.Second) {
			t.Errorf("%s: TestConnection says it works", name)
		}
	}
	if !remote.TestConnection(t.Context(), m.Host, 0) {
		t.Error("TestConnection says that a running VM does not answer")
	}
}

func TestWaitForSSH(t *testing.T) {
	t.Parallel()
	m := machine.Boot(t)
	if err := m.Runtime.Stop(t.Context(), m.Spec.ID); err != nil {
		t.Fatal(err)
	}
	// A stopped VM does not answer at all; waiting for it ends with the caller's patience.
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := remote.WaitForSSH(ctx, m.Host, 100*time.Millisecond, nil)
	if errkind.Of(err) != errkind.Unreachable || !strings.Contains(err.Error(), "gave up after") {
		t.Errorf("a stopped VM: %v", err)
	}
	// Once it has started, waiting ends with a connection.
	started := make(chan error, 1)
	go func() { started <- m.Runtime.Start(context.Background(), m.Spec) }()
	ctx, cancel = context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c, err := remote.WaitForSSH(ctx, m.Host, 50*time.Millisecond, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.Close(), <-started); err != nil {
		t.Error(err)
	}
	// Another machine's key ends the wait at once.
	h := m.Host
	h.HostKey, _ = machine.HostKey(t)
	began := time.Now()
	if _, err := remote.WaitForSSH(ctx, h, time.Minute, nil); errkind.Of(err) != errkind.HostKey || time.Since(began) > 20*time.Second {
		t.Errorf("another machine: %v after %s", err, time.Since(began))
	}
}

func TestScanHostKey(t *testing.T) {
	t.Parallel()
	m := machine.Boot(t)
	h := m.Host
	h.HostKey = nil
	key, err := remote.ScanHostKey(t.Context(), h)
	if err != nil || string(key.Marshal()) != string(m.HostKey.Marshal()) {
		t.Errorf("got %v, %v", key, err)
	}
	h.Port = 1
	if _, err := remote.ScanHostKey(t.Context(), h); errkind.Of(err) != errkind.Unreachable {
		t.Errorf("nobody listens: %v", err)
	}
}

// TestConnect uses the system's ssh: the exit code is the command's, or 255 when ssh itself refuses.
func TestConnect(t *testing.T) {
	t.Parallel()
	m := machine.Boot(t)
	connect := func(change func(*remote.Interactive)) (int, string) {
		var out bytes.Buffer
		in := remote.Interactive{Host: m.Host, KnownHosts: m.Known, Stdout: &out, Stderr: &out, Command: []string{"sh", "-c", "echo $0 here; exit 7", "I am"}}
		change(&in)
		code, err := remote.Connect(t.Context(), in)
		if err != nil {
			t.Error(err)
		}
		return code, out.String()
	}
	if code, out := connect(func(*remote.Interactive) {}); code != 7 || !strings.Contains(out, "I am here") {
		t.Errorf("got %d, %q", code, out)
	}
	stranger, _ := machine.HostKey(t)
	other := knownhosts.File{Path: filepath.Join(t.TempDir(), "known_hosts")}
	if err := other.Pin(t.Context(), m.VMID, stranger); err != nil {
		t.Fatal(err)
	}
	code, out := connect(func(in *remote.Interactive) { in.KnownHosts = other })
	if !remote.IsDisconnectExitCode(code) || !strings.Contains(out, "HOST IDENTIFICATION HAS CHANGED") && !strings.Contains(out, "Host key verification failed") {
		t.Errorf("another machine: %d, %q", code, out)
	}
	unknown := knownhosts.File{Path: filepath.Join(t.TempDir(), "empty")}
	if code, out := connect(func(in *remote.Interactive) { in.KnownHosts = unknown }); code != 255 || !strings.Contains(out, "Host key verification failed") {
		t.Errorf("an unknown machine: %d, %q", code, out)
	}
}

func TestAgentIsLentOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	m := machine.Boot(t)
	socket, key := startAgent(t)
	m.AgentSocket = socket
	c, err := remote.Dial(t.Context(), m.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, forward := range []bool{false, true, true} {
		var out bytes.Buffer
		code, err := c.Run(t.Context(), remote.Command{Line: "ssh-add -L", Stdout: &out, ForwardAgent: forward})
		if err != nil {
			t.Fatal(err)
		}
		if seen := code == 0 && strings.Contains(out.String(), strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))); seen != forward {
			t.Errorf("asked for the agent: %v; the VM sees it: %v (%q)", forward, seen, out.String())
		}
	}
}
