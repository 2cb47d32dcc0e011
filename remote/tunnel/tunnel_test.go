package tunnel_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/fault"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/remote/tunnel"
	"github.com/azlin-dev/azlin/test/local/machine"
	"github.com/azlin-dev/azlin/test/wait"
)

func TestMain(m *testing.M) {
	emulator.HostMain()
	if len(os.Args) == 4 && os.Args[1] == "hold" {
		hold(os.Args[2], os.Args[3])
		return
	}
	os.Exit(m.Run())
}

func TestParseForward(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]tunnel.Forward{
		"8080":                        {LocalPort: 8080, Host: "localhost", Port: 8080},
		"0:80":                        {Host: "localhost", Port: 80},
		"8080:db.internal:5432":       {LocalPort: 8080, Host: "db.internal", Port: 5432},
		"127.0.0.1:8080:10.0.0.4:80":  {LocalPort: 8080, Host: "10.0.0.4", Port: 80},
		"localhost:1:[2001:db8::1]:2": {LocalPort: 1, Host: "2001:db8::1", Port: 2},
	} {
		f, err := tunnel.ParseForward(s)
		if err != nil || f != want {
			t.Errorf("%s: %+v, %v", s, f, err)
		}
	}
	for s, why := range map[string]string{
		"": "not a port", "x": "not a port", "0": "not a port", "1:0": "not a port", "65536": "not a port", "-1": "not a port", "1:2:3:4:5": "write PORT",
		"0.0.0.0:1:h:2": "127.0.0.1 only", "*:1:h:2": "127.0.0.1 only", ":1:h:2": "127.0.0.1 only", "1::2": "not a host", "1:-o:2": "not a host",
		"1:a b:2": "not a host", "[::1]:1:h:2": "127.0.0.1 only", "1:[::1:2": "brackets", "1:[h]:2": "brackets", "1:[::1]x:2": "brackets", "1:/run/x:2": "not a host",
	} {
		if f, err := tunnel.ParseForward(s); errkind.Of(err) != errkind.Invalid || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %+v, %v", s, f, err)
		}
	}
}

func FuzzParseForward(f *testing.F) {
	for _, s := range []string{"1", "1:2", "1:h:2", "127.0.0.1:1:h:2", "1:[::1]:2", "[", "1:[fe80::1%x]:2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := tunnel.ParseForward(s)
		if err != nil {
			return
		}
		if b, err := tunnel.ParseForward(a.String()); err != nil || a != b {
			t.Errorf("%q is %+v, which is %q, which is %+v, %v", s, a, a.String(), b, err)
		}
	})
}

// TestTunnel says things through two ports, in many connections at once, and shows that both close.
func TestTunnel(t *testing.T) {
	t.Parallel()
	m := boot(t)
	one, two := echo(t), echo(t)
	var mu sync.Mutex
	var reported []tunnel.State
	tun := m.open(func(s tunnel.State) {
		mu.Lock()
		defer mu.Unlock()
		reported = append(reported, s)
	}, tunnel.Forward{Host: "localhost", Port: one}, tunnel.Forward{Host: "127.0.0.1", Port: two})
	f := tun.Forwards()
	if len(f) != 2 || f[0].LocalPort == 0 || f[0].Port != one || f[1].Host != "127.0.0.1" || f[0].LocalPort == f[1].LocalPort {
		t.Fatalf("%+v", f)
	}
	text := strings.Repeat("0123456789", 50_000)
	var all sync.WaitGroup
	for n := range 20 {
		all.Go(func() {
			if got, err := say(t.Context(), f[n%2].LocalPort, text); err != nil || got != "heard "+text {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
	all.Wait()
	if s := tun.State(); s.Phase != tunnel.Connected || s.LastError != "" || s.LastErrorAt != nil || s.Reconnects != 0 || s.Since.IsZero() {
		t.Errorf("%+v", s)
	}
	// Only this machine's own address is listened on.
	for _, a := range []string{"127.0.0.2", "[::1]"} {
		if c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", fmt.Sprintf("%s:%d", a, f[0].LocalPort)); err == nil {
			_ = c.Close()
			t.Errorf("somebody listens on %s", a)
		}
	}
	if err := tun.Close(); err != nil {
		t.Error(err)
	}
	<-tun.Done()
	if _, err := say(t.Context(), f[0].LocalPort, ""); err == nil || tun.Err() != nil {
		t.Errorf("closed: %v, %v", err, tun.Err())
	}
	mu.Lock()
	defer mu.Unlock()
	if len(reported) == 0 || reported[0].Phase != tunnel.Connected {
		t.Errorf("%+v", reported)
	}
}

// TestNobodyListensThere: a port of the VM where nobody listens ends its connection and is the last error, nothing more.
func TestNobodyListensThere(t *testing.T) {
	t.Parallel()
	m := boot(t)
	tun := m.open(nil, tunnel.Forward{Host: "localhost", Port: 1}, tunnel.Forward{Host: "localhost", Port: echo(t)})
	if got, err := say(t.Context(), tun.Forwards()[0].LocalPort, "x"); got != "" {
		t.Errorf("%q, %v", got, err)
	}
	wait.Until(t, "the error is known", func() bool {
		s := tun.State()
		return s.Phase == tunnel.Connected && strings.Contains(s.LastError, "connect to localhost:1 from dev: Connection refused") && s.LastErrorAt != nil
	})
	if got, err := say(t.Context(), tun.Forwards()[1].LocalPort, "x"); got != "heard x" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// TestReconnect cuts the connection, takes the network away for a while, and freezes it: the ports stay, who connects
// meanwhile waits, and all works again.
func TestReconnect(t *testing.T) {
	t.Parallel()
	m := boot(t)
	m.Limits = remote.Limits{KeepAlive: time.Second, Unanswered: 3} // a busy machine has to keep up with them
	server := echo(t)
	tun := m.open(nil, tunnel.Forward{Host: "localhost", Port: server})
	port := tun.Forwards()[0].LocalPort
	works := func(how string, reconnects int) {
		t.Helper()
		if got, err := say(t.Context(), port, how); got != "heard "+how || err != nil {
			t.Errorf("%s: %q, %v", how, got, err)
		}
		wait.Until(t, "it is connected", func() bool { return tun.State().Phase == tunnel.Connected })
		if s := tun.State(); s.Reconnects < reconnects {
			t.Errorf("%s: %+v", how, s)
		}
	}
	works("before", 0)
	m.cut(nil)
	wait.Until(t, "it is noticed", func() bool { return tun.State().Reconnects == 1 })
	works("after a cut", 1)

	m.cut(errors.New("the network is away"))
	wait.Until(t, "it is noticed", func() bool { return tun.State().Phase == tunnel.Reconnecting })
	waiting := make(chan string)
	go func() {
		got, err := say(t.Context(), port, "patience")
		waiting <- fmt.Sprint(got, err)
	}()
	wait.Until(t, "the network is missed", func() bool { return strings.Contains(tun.State().LastError, "the network is away") })
	m.cut(nil)
	if got := <-waiting; got != "heard patience<nil>" {
		t.Errorf("who waited got %s", got)
	}
	works("after an outage", 2)

	set := &fault.Set{}
	if _, err := set.Add(fault.Rule{Effect: fault.SSHFreeze, Bytes: 6000, Count: 1}); err != nil {
		t.Fatal(err)
	}
	m.Runtime.SetFaults(set.OnSSH)
	m.cut(nil)
	_, _ = say(t.Context(), port, strings.Repeat("x", 100_000)) // the connection freezes under it, and it may be lost
	wait.Until(t, "a silent VM is given up", func() bool { return set.List()[0].Struck == 1 && tun.State().Reconnects >= 4 })
	works("after a frost", 4)
}

// TestTheVMMoves asks Azure where a VM is that does not answer; that it is stopped is waited for.
func TestTheVMMoves(t *testing.T) {
	t.Parallel()
	m := boot(t)
	there := m.Host
	m.Address = "192.0.2.1" // where Via leads to, for the time being
	tun := m.open(nil, tunnel.Forward{Host: "localhost", Port: echo(t)})
	m.mu.Lock()
	m.route = errkind.New(errkind.Unreachable, "Azure cannot be asked either")
	m.mu.Unlock()
	m.cut(errors.New("it has moved"))
	wait.Until(t, "Azure is asked", func() bool { return strings.Contains(tun.State().LastError, "Azure cannot be asked either") })
	m.mu.Lock()
	m.Host, m.route = there, nil
	m.Via = nil
	m.mu.Unlock()
	wait.Until(t, "it is found", func() bool { return tun.State().Reconnects == 1 })
	if got, err := say(t.Context(), tun.Forwards()[0].LocalPort, "x"); got != "heard x" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// TestEndsByItself: a VM that is gone, one that refuses the key, and one with another host key end the tunnel.
func TestEndsByItself(t *testing.T) {
	t.Parallel()
	other, err := keypair.GenerateKeyPair(t.TempDir(), "other")
	if err != nil {
		t.Fatal(err)
	}
	key, _ := machine.HostKey(t)
	for name, c := range map[string]struct {
		change func(*vm)
		kind   errkind.Kind
	}{
		"gone":            {func(m *vm) { m.route = errkind.New(errkind.NotFound, "there is no such VM") }, errkind.NotFound},
		"key refused":     {func(m *vm) { m.KeyPath, m.VMID = other.Private, "x" }, errkind.Permission},
		"another machine": {func(m *vm) { m.HostKey, m.VMID = key, "x" }, errkind.HostKey},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := boot(t)
			var mu sync.Mutex
			var last tunnel.State
			tun := m.open(func(s tunnel.State) {
				mu.Lock()
				defer mu.Unlock()
				last = s
			}, tunnel.Forward{Host: "localhost", Port: 22})
			m.mu.Lock()
			c.change(m)
			m.mu.Unlock()
			m.cut(errors.New("cut"))
			wait.Until(t, "Azure is asked", func() bool {
				m.mu.Lock()
				defer m.mu.Unlock()
				return m.asked > 1
			})
			m.cut(nil)
			<-tun.Done()
			if errkind.Of(tun.Err()) != c.kind {
				t.Errorf("%v is %s, want %s", tun.Err(), errkind.Of(tun.Err()), c.kind)
			}
			if _, err := say(t.Context(), tun.Forwards()[0].LocalPort, ""); err == nil {
				t.Error("the port is still open")
			}
			mu.Lock()
			defer mu.Unlock()
			if last.Phase != tunnel.Failed || last.LastError == "" || tun.State().Phase != tunnel.Failed {
				t.Errorf("%+v, %+v", last, tun.State())
			}
		})
	}
}

// TestRefusals: what cannot be had is refused before anything is begun.
func TestRefusals(t *testing.T) {
	t.Parallel()
	never := func(context.Context) (remote.Host, error) {
		t.Error("the VM was looked for")
		return remote.Host{}, nil
	}
	taken := echo(t)
	free := tunnel.Forward{Host: "localhost", Port: 1}
	_, err := tunnel.Open(t.Context(), tunnel.Options{Forwards: []tunnel.Forward{free, {LocalPort: taken, Host: "localhost", Port: 1}}, Route: never})
	if errkind.Of(err) != errkind.Conflict || !errors.Is(err, tunnel.ErrTunnel) || !strings.Contains(err.Error(), fmt.Sprintf("listen on 127.0.0.1:%d: ", taken)) {
		t.Error(err)
	}
	if _, err := tunnel.Open(t.Context(), tunnel.Options{Route: never}); errkind.Of(err) != errkind.Invalid {
		t.Error(err)
	}
	refused := errkind.New(errkind.Conflict, "it is stopped")
	_, err = tunnel.Open(t.Context(), tunnel.Options{Forwards: []tunnel.Forward{free}, Route: func(context.Context) (remote.Host, error) { return remote.Host{}, refused }})
	if !errors.Is(err, refused) {
		t.Error(err)
	}
}

// TestLargeTransferThroughACut: what was under way when the connection is lost ends, and does not hang.
func TestLargeTransferThroughACut(t *testing.T) {
	t.Parallel()
	m := boot(t)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = c.Write(bytes.Repeat([]byte("x"), 1<<20))
		_, _ = c.Read(make([]byte, 1)) // until it is cut
	}()
	tun := m.open(nil, tunnel.Forward{Host: "localhost", Port: l.Addr().(*net.TCPAddr).Port})
	begun, done := make(chan struct{}), make(chan int)
	go func() {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp4", fmt.Sprintf("127.0.0.1:%d", tun.Forwards()[0].LocalPort))
		if err != nil {
			t.Error(err)
			done <- 0
			return
		}
		defer c.Close()
		var got bytes.Buffer
		_, _ = io.CopyN(&got, c, 1)
		close(begun)
		_, _ = got.ReadFrom(c)
		done <- got.Len()
	}()
	<-begun
	m.cut(nil)
	if n := <-done; n > 1<<20 {
		t.Errorf("%d bytes", n)
	}
}
