//go:build unix

package remote_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/remote/knownhosts"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/test/local/machine"
	"github.com/azlin-dev/azlin/test/wait"
)

// terminal is what a person sits at: a session runs on it, and what is on the screen is kept.
type terminal struct {
	t    *testing.T
	ptmx *os.File
	tty  *os.File
	code chan int
	errs chan error

	mu     sync.Mutex
	screen strings.Builder
	events []remote.ReconnectEvent
}

func openTerminal(t *testing.T) *terminal {
	t.Helper()
	ptmx, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(ptmx, &pty.Winsize{Rows: 30, Cols: 120}); err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, ptmx: ptmx, tty: tty, code: make(chan int, 1), errs: make(chan error, 1)}
	t.Cleanup(func() { _, _ = tty.Close(), ptmx.Close() }) // it is over
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := ptmx.Read(buf)
			if err != nil {
				return
			}
			term.mu.Lock()
			term.screen.Write(buf[:n])
			term.mu.Unlock()
		}
	}()
	return term
}

// run runs a session on the terminal.
func (x *terminal) run(c remote.Connector, in remote.Interactive) {
	c.Report = func(e remote.ReconnectEvent) {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.events = append(x.events, e)
	}
	in.Stdin, in.Stdout, in.Stderr = x.tty, x.tty, x.tty
	in.Env = append(os.Environ(), "TERM=xterm-256color")
	go func() {
		code, err := c.Connect(x.t.Context(), in)
		x.code <- code
		x.errs <- err
	}()
}

func (x *terminal) text() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.screen.String()
}

func (x *terminal) phases(p remote.ReconnectPhase) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	n := 0
	for _, e := range x.events {
		if e.Phase == p {
			n++
		}
	}
	return n
}

func (x *terminal) typed(line string) {
	x.t.Helper()
	if _, err := x.ptmx.WriteString(line + "\n"); err != nil {
		x.t.Fatal(err)
	}
}

// says types a line until its answer is on the screen: what is typed while there is no connection is lost.
func (x *terminal) says(line, answer string) {
	x.t.Helper()
	wait.Until(x.t, fmt.Sprintf("%q is answered with %q", line, answer), func() bool {
		x.typed(line)
		return wait.Within(500*time.Millisecond, func() bool { return strings.Contains(x.text(), answer) })
	}, func() string { return fmt.Sprintf("the screen:\n%q\n%+v", last(x.text(), 3000), x.events) })
}

func last(s string, n int) string { return s[max(0, len(s)-n):] }

// ends waits for the end of the session.
func (x *terminal) ends() (int, error) {
	x.t.Helper()
	select {
	case code := <-x.code:
		return code, <-x.errs
	case <-time.After(wait.Patience):
		x.t.Fatalf("the session does not end; the screen:\n%q", last(x.text(), 3000))
		return 0, nil
	}
}

// cuts are what can happen to a connection. Each returns what is to be done before it can come back.
func cuts(s *sshd, here func() *network, move func()) map[string]func() (mend func()) {
	nothing := func() {}
	return map[string]func() func(){
		"drop": func() func() { here().drop(); return nothing },
		"freeze": func() func() {
			n := here()
			n.freeze()
			return n.thaw
		},
		"restart": func() func() {
			n := here()
			n.mu.Lock()
			n.dead = true
			n.mu.Unlock()
			s.killAll()
			return func() {
				n.drop()
				n.thaw()
			}
		},
		"address": func() func() {
			here().freeze()
			move()
			return nothing
		},
		"stop": func() func() { // of the ssh that runs, while its connection ends
			_ = exec.CommandContext(context.Background(), "pkill", "-STOP", "-f", "HostKeyAlias=azlin-"+s.VMID).Run() // it shows below
			here().drop()
			return func() {
				_ = exec.CommandContext(context.Background(), "pkill", "-CONT", "-f", "HostKeyAlias=azlin-"+s.VMID).Run() // as above
			}
		},
	}
}

// TestSessionSurvivesCuts cuts the connection of a session in tmux again and again. What runs in it goes on, the
// forwards come back, and nothing hangs.
func TestSessionSurvivesCuts(t *testing.T) {
	t.Parallel()
	survive(t, 12, uint64(time.Now().UnixNano()))
}

func survive(t *testing.T, count int, seed uint64) {
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 1))
	s := openSSHD(t)
	where := s.network()
	var mu sync.Mutex
	here := func() *network {
		mu.Lock()
		defer mu.Unlock()
		return where
	}
	move := func() {
		n := s.network()
		mu.Lock()
		defer mu.Unlock()
		where = n
	}
	s.Port = here().port()
	target, local, back, socks := echo(t), local.LastingPort(t), local.LastingPort(t), local.LastingPort(t)
	x := openTerminal(t)
	c := remote.Connector{ReconnectHandler: remote.ReconnectHandler{MaxAttempts: remote.UntilStopped, Route: func(context.Context) (remote.Host, error) {
		h := s.Host
		h.Port = here().port()
		return h, nil
	}}}
	x.run(c, remote.Interactive{Host: s.Host, KnownHosts: s.known, Session: "work", Forwards: []remote.Forward{
		{Kind: remote.LocalForward, Spec: fmt.Sprintf("127.0.0.1:%d:127.0.0.1:%d", local, target)},
		{Kind: remote.RemoteForward, Spec: fmt.Sprintf("127.0.0.1:%d:127.0.0.1:%d", back, target)},
		{Kind: remote.DynamicForward, Spec: fmt.Sprintf("127.0.0.1:%d", socks)},
	}})
	x.says("kept=$$; echo first-$((20+1))", "first-21")
	all := cuts(s, here, move)
	names := []string{"drop", "freeze", "restart", "address", "stop"}
	var slowest time.Duration
	for n := range count {
		name := names[chance.IntN(len(names))]
		if n < len(names) {
			name = names[(n+int(seed%5))%len(names)] // each at least once
		}
		before := x.phases(remote.Lost)
		began := time.Now()
		mend := all[name]()
		<-time.After(time.Duration(chance.IntN(200)) * time.Millisecond) // for as long it is broken
		mend()
		// The first line after a cut may end up in the connection that is gone.
		wait.Until(t, "the loss by "+name+" is noticed", func() bool { return x.phases(remote.Lost) > before })
		wait.Until(t, "the VM answers after "+name, func() bool { return x.phases(remote.Back) >= x.phases(remote.Lost) })
		x.says(fmt.Sprintf("echo cut-%d-$((%d*3))-${kept:+kept}", n, n), fmt.Sprintf("cut-%d-%d-kept", n, n*3))
		for what, port := range map[string]int{"-L": local, "-R": back} {
			wait.Until(t, what+" works after "+name, func() bool { return answers(port) })
		}
		took := time.Since(began)
		t.Logf("cut %d, %s: %s", n, name, took.Round(time.Millisecond))
		slowest = max(slowest, took)
	}
	t.Logf("the slowest of %d came back within %s", count, slowest)
	x.typed("exit 0")
	if code, err := x.ends(); code != 0 || err != nil {
		t.Errorf("the session ended with %d, %v", code, err)
	}
	if answers(local) {
		t.Error("the forward outlives the session")
	}
}

// TestReconnectStops sees that what waiting does not mend ends the session at once, with the reason.
func TestReconnectStops(t *testing.T) {
	t.Parallel()
	s := openSSHD(t)
	n := s.network()
	s.Port = n.port()
	stranger, _ := machine.HostKey(t)
	strangersKey, err := keypair.GenerateKeyPair(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	busy := echo(t)
	for name, test := range map[string]struct {
		change func(*remote.Interactive)
		kind   errkind.Kind
		class  error
		says   string
	}{
		"refused keys": {func(in *remote.Interactive) { in.Host.KeyPath = strangersKey.Private }, errkind.Permission, remote.ErrKeyRefused, "accepts none of the offered keys"},
		"a changed host key": {func(in *remote.Interactive) {
			in.Host.HostKey, in.KnownHosts = stranger, knows(t, in.Host.VMID, stranger)
		}, errkind.HostKey, remote.ErrHostKey, "expected host key SHA256:"},
		"a local port that is taken": {func(in *remote.Interactive) {
			in.Forwards = []remote.Forward{{Kind: remote.LocalForward, Spec: fmt.Sprintf("127.0.0.1:%d:localhost:80", busy)}}
		}, errkind.Conflict, remote.ErrForward, "a forward cannot be had: bind [127.0.0.1]:"},
		"a port that is taken there": {func(in *remote.Interactive) {
			in.Forwards = []remote.Forward{{Kind: remote.RemoteForward, Spec: fmt.Sprintf("127.0.0.1:%d:localhost:80", busy)}}
		}, errkind.Conflict, remote.ErrForward, "remote port forwarding failed"},
		"a bad forward": {func(in *remote.Interactive) {
			in.Forwards = []remote.Forward{{Kind: remote.LocalForward, Spec: "8080"}}
		}, errkind.Invalid, nil, "8080"},
	} {
		x := openTerminal(t)
		in := remote.Interactive{Host: s.Host, KnownHosts: s.known, NoTmux: true}
		test.change(&in)
		began := time.Now()
		x.run(remote.Connector{}, in)
		_, err := x.ends()
		if errkind.Of(err) != test.kind || test.class != nil && !errors.Is(err, test.class) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: kind %q: %v", name, errkind.Of(err), err)
		}
		if x.phases(remote.Waiting) > 0 || time.Since(began) > soon {
			t.Errorf("%s: it was waited for: %+v", name, x.events)
		}
	}
}

func knows(t *testing.T, vm string, key ssh.PublicKey) knownhosts.File {
	t.Helper()
	k := knownhosts.File{Path: filepath.Join(t.TempDir(), "known_hosts")}
	if err := k.Pin(t.Context(), vm, key); err != nil {
		t.Fatal(err)
	}
	return k
}
