//go:build unix

package remote_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/test/wait"
)

func TestShouldAttemptReconnect(t *testing.T) {
	t.Parallel()
	for code := range 256 {
		if want := code == 255; remote.ShouldAttemptReconnect(code) != want || remote.IsDisconnectExitCode(code) != want {
			t.Errorf("exit code %d", code)
		}
	}
}

// TestGivesUp counts the attempts, which get longer, at a machine that does not answer.
func TestGivesUp(t *testing.T) {
	t.Parallel()
	s := openSSHD(t)
	n := s.network()
	n.freeze()
	s.Port = n.port()
	s.Limits.Connect = time.Second
	x := openTerminal(t)
	x.run(remote.Connector{ReconnectHandler: remote.ReconnectHandler{MaxAttempts: 2}}, remote.Interactive{Host: s.Host, KnownHosts: s.known})
	code, err := x.ends()
	if code != 255 || errkind.Of(err) != errkind.Unreachable || !errors.Is(err, remote.ErrConnection) || !strings.Contains(err.Error(), "connect to dev: gave up after 2 attempts: ") {
		t.Errorf("%d, %v", code, err)
	}
	lasts := map[int]time.Duration{}
	for _, e := range x.events {
		if e.Phase == remote.Waiting {
			lasts[e.Attempt] = e.Lasts
		}
		if e.Of != 2 && e.Phase == remote.Waiting {
			t.Errorf("attempt %d of %d", e.Attempt, e.Of)
		}
	}
	if lasts[1] != time.Second || lasts[2] != 2*time.Second || len(lasts) != 2 || x.phases(remote.Over) != 1 {
		t.Errorf("attempts: %v", lasts)
	}
}

// TestHandleDisconnect goes on after an ssh that somebody else ran.
func TestHandleDisconnect(t *testing.T) {
	t.Parallel()
	s := openSSHD(t)
	s.Port = s.network().port()
	var out bytes.Buffer
	in := remote.Interactive{Host: s.Host, KnownHosts: s.known, Command: []string{"echo again; exit 9"}, Stdout: &out, Env: os.Environ()}
	if code, err := (remote.ReconnectHandler{}).HandleDisconnect(t.Context(), 7, in); code != 7 || err != nil || out.Len() > 0 {
		t.Errorf("a session that ended: %d, %v, %q", code, err, out.String())
	}
	if code, err := (remote.ReconnectHandler{}).HandleDisconnect(t.Context(), 255, in); code != 9 || err != nil || !strings.Contains(out.String(), "again") {
		t.Errorf("%d, %v, %q", code, err, out.String())
	}
}

// TestRemoteExitCode255 is a command that itself ends as ssh does without a connection. It is not run again.
func TestRemoteExitCode255(t *testing.T) {
	t.Parallel()
	s := openSSHD(t)
	n := s.network()
	s.Port = n.port()
	for _, in := range []remote.Interactive{
		{Host: s.Host, KnownHosts: s.known, Command: []string{"exit 255"}, Env: os.Environ()},
		{Host: s.Host, KnownHosts: s.known, NoTmux: true, Stdin: strings.NewReader("exit 255\n"), Env: os.Environ()},
	} {
		if code, err := (remote.Connector{}).Connect(t.Context(), in); code != 255 || err != nil {
			t.Errorf("%v: %d, %v", in.Command, code, err)
		}
	}
	// Nor is one whose connection was lost while it ran.
	began := s.dir + "/began"
	x := openTerminal(t)
	x.run(remote.Connector{}, remote.Interactive{Host: s.Host, KnownHosts: s.known, Command: []string{"echo x >>" + began + "; sleep 60"}})
	wait.Until(t, "the command runs", func() bool { _, err := os.Stat(began); return err == nil })
	n.drop()
	if code, err := x.ends(); code != 255 || !errors.Is(err, remote.ErrLost) || x.phases(remote.Waiting) > 0 {
		t.Errorf("%d, %v", code, err)
	}
	if data, err := os.ReadFile(began); err != nil || string(data) != "x\n" {
		t.Errorf("it ran %q, %v", data, err)
	}
}

// TestMend sees that what Route and Diagnose find reaches Mend, once each, and that what it says counts.
func TestMend(t *testing.T) {
	t.Parallel()
	s := openSSHD(t)
	n := s.network()
	s.Port = n.port()
	s.Limits.Connect = time.Second
	stopped, closed := errkind.New(errkind.Conflict, "it is stopped"), errkind.New(errkind.Unreachable, "you are not admitted")
	var started, admitted atomic.Bool
	var mended []string
	handler := remote.ReconnectHandler{
		Route: func(context.Context) (remote.Host, error) {
			if !started.Load() {
				return remote.Host{}, fmt.Errorf("look: %w", stopped)
			}
			return s.Host, nil
		},
		Diagnose: func(context.Context, remote.Host) error {
			if !admitted.Load() {
				return closed
			}
			return nil
		},
		Mend: func(_ context.Context, problem error) error {
			mended = append(mended, problem.Error())
			switch {
			case errors.Is(problem, stopped):
				started.Store(true)
			case errors.Is(problem, closed):
				admitted.Store(true)
				n.thaw()
			}
			return nil
		},
	}
	in := remote.Interactive{Host: s.Host, KnownHosts: s.known, Command: []string{"exit 4"}, Env: os.Environ()}
	for _, never := range []bool{false, true} {
		n.freeze()
		started.Store(never)
		admitted.Store(false)
		mended = nil
		x := openTerminal(t)
		x.run(remote.Connector{ReconnectHandler: handler, NoReconnect: never}, in)
		if code, err := x.ends(); code != 4 || err != nil {
			t.Errorf("never %v: %d, %v", never, code, err)
		}
		want := "look: it is stopped, you are not admitted"
		if never {
			want = "you are not admitted"
		}
		if got := strings.Join(mended, ", "); got != want {
			t.Errorf("never %v: mended %q", never, got)
		}
	}
	// Without somebody to mend it, a problem is the end, and at once.
	n.freeze()
	started.Store(false)
	handler.Mend = nil
	x := openTerminal(t)
	x.run(remote.Connector{ReconnectHandler: handler}, in)
	if code, err := x.ends(); code != 255 || !errors.Is(err, stopped) || x.phases(remote.Over) != 1 {
		t.Errorf("%d, %v", code, err)
	}
}

// TestRouteIsAskedAgain is a VM that is being stopped: Azure says so after a while only, and it is not waited for until
// then that an attempt ends.
func TestRouteIsAskedAgain(t *testing.T) {
	t.Parallel()
	s := openSSHD(t)
	n := s.network()
	n.freeze()
	s.Port = n.port()
	s.Limits.Connect = 4 * time.Second
	stopped := errkind.New(errkind.Conflict, "it is stopped")
	asked := 0
	h := remote.ReconnectHandler{MaxAttempts: 1, Route: func(context.Context) (remote.Host, error) {
		if asked++; asked < 3 {
			return s.Host, nil
		}
		return remote.Host{}, stopped
	}}
	in := remote.Interactive{Host: s.Host, KnownHosts: s.known, Env: os.Environ()}
	if code, err := h.HandleDisconnect(t.Context(), 255, in); code != 255 || !errors.Is(err, stopped) {
		t.Errorf("%d, %v, after asking %d times", code, err, asked)
	}
}

// TestAddressOfAnotherMachine is an address that belongs to somebody else by now: Azure knows where the VM is.
func TestAddressOfAnotherMachine(t *testing.T) {
	t.Parallel()
	s, other := openSSHD(t), openSSHD(t)
	s.Port = s.network().port()
	at := other.network().port()
	in := remote.Interactive{Host: s.Host, KnownHosts: s.known, Command: []string{"exit 4"}, Env: os.Environ()}
	in.Host.Port = at
	c := remote.Connector{ReconnectHandler: remote.ReconnectHandler{Route: func(context.Context) (remote.Host, error) { return s.Host, nil }}}
	if code, err := c.Connect(t.Context(), in); code != 4 || err != nil {
		t.Errorf("%d, %v", code, err)
	}
	// Where Azure says that this is the VM's address, it is the wrong machine.
	c.Route = func(context.Context) (remote.Host, error) { return in.Host, nil }
	if code, err := c.Connect(t.Context(), in); code != 255 || errkind.Of(err) != errkind.HostKey || !strings.Contains(err.Error(), "the machine showed SHA256:") {
		t.Errorf("%d, %v", code, err)
	}
}

// TestCancelledWait is Ctrl-C while a VM is waited for.
func TestCancelledWait(t *testing.T) {
	t.Parallel()
	s := openSSHD(t)
	n := s.network()
	n.freeze()
	s.Port = n.port()
	s.Limits.Connect = time.Second
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := remote.Connector{ReconnectHandler: remote.ReconnectHandler{MaxAttempts: remote.UntilStopped, Report: func(e remote.ReconnectEvent) {
		if e.Phase == remote.Waiting && e.Attempt == 2 {
			cancel()
		}
	}}}
	code, err := c.Connect(ctx, remote.Interactive{Host: s.Host, KnownHosts: s.known, Env: os.Environ()})
	if code != 255 || errkind.Of(err) != errkind.Cancelled {
		t.Errorf("%d, %v", code, err)
	}
}

// TestConnectSSH runs a program that connects on its own terminal, stops it together with its ssh for longer than the
// VM may be silent, as a laptop that sleeps, and lets it go on.
func TestConnectSSH(t *testing.T) {
	t.Parallel()
	s := openSSHD(t)
	s.Port = s.network().port()
	h := s.Host
	h.HostKey = nil
	spec, err := json.Marshal(told{h, string(ssh.MarshalAuthorizedKey(s.HostKey)), s.known.Path, "work"})
	if err != nil {
		t.Fatal(err)
	}
	x := openTerminal(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), connectEnv+"="+string(spec), "TERM=xterm-256color")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = x.tty, x.tty, x.tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	x.says("kept=here; echo on-$((20+1))", "on-21")
	ours := func() []string {
		out, err := exec.CommandContext(t.Context(), "pgrep", "-f", "HostKeyAlias=azlin-"+s.VMID+"( |$)").Output()
		if err != nil {
			return nil // there is none
		}
		return strings.Fields(string(out))
	}
	before := ours()
	if len(before) != 1 {
		t.Fatalf("ssh runs %d times", len(before))
	}
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	<-time.After(3 * time.Second) // for as long it stands still: VMs may be silent for less
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	wait.Until(t, "the connection is another one", func() bool {
		now := ours()
		return len(now) == 1 && now[0] != before[0]
	})
	x.says("echo still-$kept", "still-here")
	x.typed("exit")
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("%v; the screen:\n%q", err, last(x.text(), 2000))
		}
	case <-time.After(soon):
		t.Error("it does not end")
	}
}
