package remote_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/emulator/fault"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/test/local/machine"
	"github.com/azlin-dev/azlin/test/wait"
)

// impatient makes every limit short enough for a test and long enough for a busy machine.
var impatient = remote.Limits{Connect: 5 * time.Second, Handshake: 2 * time.Second, KeepAlive: 200 * time.Millisecond, Unanswered: 3}

// soon is when everything must have ended under impatient limits.
const soon = 15 * time.Second

func struck(set *fault.Set) int { return set.List()[0].Struck }

func TestDialUnderFaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		rule  fault.Rule
		says  string // of the error; empty: it works
		dials int
	}{
		"refuses":                {fault.Rule{Effect: fault.SSHRefuse}, "the connection ended before the login, 5 times", 5},
		"refuses twice":          {fault.Rule{Effect: fault.SSHRefuse, Count: 2}, "", 2},
		"hangs after the banner": {fault.Rule{Effect: fault.SSHHang}, "somebody answers, but there is no SSH handshake within 2s", 1},
		"freezes at once":        {fault.Rule{Effect: fault.SSHFreeze}, "there is no SSH handshake within 2s", 1},
		"freezes while it signs": {fault.Rule{Effect: fault.SSHFreeze, Bytes: 1500}, "there is no SSH handshake within 2s", 1},
		"drops":                  {fault.Rule{Effect: fault.SSHDrop, Bytes: 1500}, "the connection ended before the login, 5 times", 5},
		"drops thrice":           {fault.Rule{Effect: fault.SSHDrop, Bytes: 10, Count: 3}, "", 3},
		"delays":                 {fault.Rule{Effect: fault.SSHDelay, Delay: 50 * time.Millisecond}, "", 1},
		"delays too long":        {fault.Rule{Effect: fault.SSHDelay, Delay: 5 * time.Second}, "there is no SSH handshake within 2s", 1},
		"limits":                 {fault.Rule{Effect: fault.SSHLimit}, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := machine.Boot(t)
			m.Limits = impatient
			set := m.Suffer(test.rule)
			began := time.Now()
			c, err := remote.Dial(t.Context(), m.Host)
			if took := time.Since(began); took > soon {
				t.Errorf("it took %s", took)
			}
			if err == nil {
				defer c.Close()
			}
			switch {
			case test.says == "" && err != nil:
				t.Error(err)
			case test.says != "" && (errkind.Of(err) != errkind.Unreachable || !errors.Is(err, remote.ErrConnection) ||
				!strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), "connect to dev")):
				t.Errorf("got kind %q: %v", errkind.Of(err), err)
			}
			if struck(set) != test.dials {
				t.Errorf("%d connections were struck, want %d", struck(set), test.dials)
			}
		})
	}
}

func TestCancelledDial(t *testing.T) {
	t.Parallel()
	m := machine.Boot(t)
	m.Suffer(fault.Rule{Effect: fault.SSHHang})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(200*time.Millisecond, cancel)
	if _, err := remote.Dial(ctx, m.Host); errkind.Of(err) != errkind.Cancelled {
		t.Errorf("kind %q of %v", errkind.Of(err), err)
	}
	if _, err := remote.ScanHostKey(ctx, m.Host); errkind.Of(err) != errkind.Cancelled {
		t.Errorf("scan: kind %q of %v", errkind.Of(err), err)
	}
}

func TestWaitForSSHUnderFaults(t *testing.T) {
	t.Parallel()
	m := machine.Boot(t)
	m.Limits = remote.Limits{Handshake: 500 * time.Millisecond}
	for _, effect := range []fault.Effect{fault.SSHHang, fault.SSHFreeze, fault.SSHRefuse} {
		m.Suffer(fault.Rule{Effect: effect, Count: 2})
		ctx, cancel := context.WithTimeout(t.Context(), soon)
		c, err := remote.WaitForSSH(ctx, m.Host, 10*time.Millisecond, nil)
		cancel()
		if err != nil {
			t.Errorf("%s: %v", effect, err)
			continue
		}
		_ = c.Close() // it has answered
	}
}

// TestEveryByteMayBeTheLast ends and freezes connections all over the handshake and the command. Each time there is
// either the command's own end or an error that says what happened, and soon.
func TestEveryByteMayBeTheLast(t *testing.T) {
	t.Parallel()
	m := machine.Boot(t)
	m.Limits = remote.Limits{Connect: 5 * time.Second, Handshake: 3 * time.Second, KeepAlive: 200 * time.Millisecond, Unanswered: 3}
	for _, effect := range []fault.Effect{fault.SSHDrop, fault.SSHFreeze} {
		set := &fault.Set{}
		m.Runtime.SetFaults(set.OnSSH)
		var failed, worked, lost int
		var mu sync.Mutex
		var all sync.WaitGroup
		for bytes := 40; bytes < 6000; bytes += 160 {
			if _, err := set.Add(fault.Rule{Effect: effect, Bytes: bytes, Count: 1}); err != nil {
				t.Fatal(err)
			}
		}
		for range len(set.List()) {
			all.Go(func() {
				h := m.Host
				began := time.Now()
				c, err := remote.Dial(t.Context(), h)
				if err == nil {
					var r remote.Result
					r, err = c.Output(t.Context(), "head -c 3000 /dev/zero; exit 3")
					if err == nil && (r.ExitCode != 3 || len(r.Stdout) != 3000) {
						t.Errorf("%s: a lie: %d and %d bytes", effect, r.ExitCode, len(r.Stdout))
					}
					_ = c.Close() // it may be broken
				}
				mu.Lock()
				defer mu.Unlock()
				switch {
				case time.Since(began) > soon:
					t.Errorf("%s: it took %s", effect, time.Since(began))
				case err == nil:
					worked++
				case errkind.Of(err) != errkind.Unreachable || !strings.Contains(err.Error(), " dev: "):
					t.Errorf("%s: kind %q of %v", effect, errkind.Of(err), err)
				case errors.Is(err, remote.ErrLost):
					lost++
				default:
					failed++
				}
			})
		}
		all.Wait()
		t.Logf("%s: %d worked, %d lost, %d failed to connect", effect, worked, lost, failed)
		if lost == 0 || worked+lost+failed != len(set.List()) {
			t.Errorf("%s: %d worked, %d lost, %d failed of %d", effect, worked, lost, failed, len(set.List()))
		}
	}
}

// TestLostCommands tells of commands whose connection ended that they may go on, which they do.
func TestLostCommands(t *testing.T) {
	t.Parallel()
	for effect, says := range map[fault.Effect]string{
		fault.SSHDrop:   "run on dev: the connection was lost; the command may go on there",
		fault.SSHFreeze: "run on dev: the connection was lost: the VM has not answered for 600ms; the command may go on there",
	} {
		t.Run(string(effect), func(t *testing.T) {
			t.Parallel()
			m := machine.Boot(t)
			m.Limits = impatient
			m.Suffer(fault.Rule{Effect: effect, Bytes: 20_000, Count: 1})
			c, err := remote.Dial(t.Context(), m.Host)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			began := time.Now()
			r, err := c.Output(t.Context(), "trap '' PIPE; (head -c 40000 /dev/zero; sleep 1; echo went on > proof) 2>/dev/null")
			if err == nil || err.Error() != says || errkind.Of(err) != errkind.Unreachable || !errors.Is(err, remote.ErrLost) || !errors.Is(err, remote.ErrExec) {
				t.Errorf("%+v, kind %q: %v", r, errkind.Of(err), err)
			}
			if took := time.Since(began); took > soon {
				t.Errorf("it took %s", took)
			}
			if _, err := c.Output(t.Context(), "true"); !errors.Is(err, remote.ErrLost) {
				t.Errorf("once more on a lost connection: %v", err)
			}
			wait.Until(t, "the command went on", func() bool {
				r, err := remote.Execute(t.Context(), m.Host, "cat proof", soon)
				if err != nil {
					t.Fatal(err)
				}
				return r.Stdout == "went on\n"
			})
		})
	}
}

// TestInterruptOnAFrozenConnection sees that nobody waits for the answer of a VM that gives none.
func TestInterruptOnAFrozenConnection(t *testing.T) {
	t.Parallel()
	m := machine.Boot(t) // with the limits that people have
	m.Suffer(fault.Rule{Effect: fault.SSHFreeze, Bytes: 20_000})
	c, err := remote.Dial(t.Context(), m.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithCancel(t.Context())
	began := time.Now()
	time.AfterFunc(time.Second, cancel)
	_, err = c.Run(ctx, remote.Command{Line: "head -c 40000 /dev/zero"})
	if errkind.Of(err) != errkind.Cancelled || time.Since(began) > soon {
		t.Errorf("kind %q after %s: %v", errkind.Of(err), time.Since(began), err)
	}
}

// TestManySessions runs more commands over one connection than sshd lets a connection have sessions.
func TestManySessions(t *testing.T) {
	t.Parallel()
	m := machine.Boot(t)
	c, err := remote.Dial(t.Context(), m.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var all sync.WaitGroup
	for n := range 40 {
		all.Go(func() {
			if r, err := c.Output(t.Context(), fmt.Sprintf("sleep 0.05; echo %d", n)); err != nil || r.Stdout != strconv.Itoa(n)+"\n" {
				t.Errorf("%d: %+v %v", n, r, err)
			}
		})
	}
	all.Wait()
}

// TestManyDials connects more often at once than sshd lets connections begin.
func TestManyDials(t *testing.T) {
	t.Parallel()
	m := machine.Boot(t)
	set := m.Suffer(fault.Rule{Effect: fault.SSHLimit, Seed: 7})
	m.Dials = &remote.Dials{}
	var all sync.WaitGroup
	for n := range 60 {
		all.Go(func() {
			c, err := remote.Dial(t.Context(), m.Host)
			if err != nil {
				t.Errorf("%d: %v", n, err)
				return
			}
			_ = c.Close() // it is in
		})
	}
	all.Wait()
	if got := struck(set); got != 60 {
		t.Errorf("%d connections were made for 60: some were dropped", got)
	}
	// A turn is not waited for longer than the caller wants.
	m.Suffer(fault.Rule{Effect: fault.SSHHang})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	for range 20 {
		all.Go(func() {
			if _, err := remote.Dial(ctx, m.Host); errkind.Of(err) != errkind.Unreachable {
				t.Errorf("kind %q of %v", errkind.Of(err), err)
			}
		})
	}
	all.Wait()
}

// TestBusyServer signs in while others hold so many connections that have not that most new ones are dropped.
func TestBusyServer(t *testing.T) {
	t.Parallel()
	m := machine.Boot(t)
	for n := range 20 {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", net.JoinHostPort(m.Address, strconv.Itoa(m.Port)))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		// The server has begun with it when it says its name.
		if _, err := conn.Read(make([]byte, 4)); err != nil {
			t.Fatalf("%d: %v", n, err)
		}
	}
	set := m.Suffer(fault.Rule{Effect: fault.SSHLimit, Seed: 5})
	for range 8 {
		c, err := remote.Dial(t.Context(), m.Host)
		if err != nil {
			t.Error(err)
			continue
		}
		_ = c.Close() // it is in
	}
	if struck(set) == 8 {
		t.Error("none was dropped")
	}
}

// TestSystemSSHUnderFaults sees that ssh, as it is called for interactive sessions, ends under every fault, too.
func TestSystemSSHUnderFaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		rule fault.Rule
		code int
	}{
		"refuses":                {fault.Rule{Effect: fault.SSHRefuse}, 255},
		"hangs after the banner": {fault.Rule{Effect: fault.SSHHang}, 255},
		"freezes at once":        {fault.Rule{Effect: fault.SSHFreeze}, 255},
		"freezes at work":        {fault.Rule{Effect: fault.SSHFreeze, Bytes: 20_000}, 255},
		"drops at work":          {fault.Rule{Effect: fault.SSHDrop, Bytes: 20_000}, 255},
		"delays":                 {fault.Rule{Effect: fault.SSHDelay, Delay: 30 * time.Millisecond}, 7},
		"limits":                 {fault.Rule{Effect: fault.SSHLimit}, 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := machine.Boot(t)
			m.Limits = remote.Limits{Connect: 2 * time.Second, KeepAlive: time.Second, Unanswered: 2}
			m.Suffer(test.rule)
			var out bytes.Buffer
			ctx, cancel := context.WithTimeout(t.Context(), 2*soon)
			defer cancel()
			code, err := remote.Connect(ctx, remote.Interactive{
				Host: m.Host, KnownHosts: m.Known, Stdout: &out, Stderr: &out, Env: os.Environ(), Command: []string{"head -c 40000 /dev/zero | tr '\\0' x; exit 7"},
			})
			if err != nil || code != test.code {
				t.Errorf("%d, %v, %.300q", code, err, out.String())
			}
		})
	}
}

// TestSameSeedSameTrace connects again and again while half of the connections break.
func TestSameSeedSameTrace(t *testing.T) {
	t.Parallel()
	m := machine.Boot(t)
	trace := func(seed uint64) string {
		m.Suffer(fault.Rule{Effect: fault.SSHRefuse, Probability: 0.5, Seed: seed})
		var b strings.Builder
		for range 40 {
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", net.JoinHostPort(m.Address, strconv.Itoa(m.Port)))
			if err == nil {
				_, err = conn.Read(make([]byte, 4))
				_ = conn.Close() // read from
			}
			if err == nil {
				b.WriteByte('.')
			} else {
				b.WriteByte('x')
			}
		}
		return b.String()
	}
	first, second, other := trace(3), trace(3), trace(4)
	if first != second || first == other || !strings.Contains(first, "x") || !strings.Contains(first, ".") {
		t.Errorf("%s, %s and with another seed %s", first, second, other)
	}
}
