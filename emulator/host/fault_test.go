package host_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/emulator/fault"
	"github.com/azlin-dev/azlin/emulator/host"
)

// suffer gives the lab's VMs a fault, and nothing else.
func (l *lab) suffer(r fault.Rule) *fault.Set {
	l.t.Helper()
	set := &fault.Set{}
	if _, err := set.Add(r); err != nil {
		l.t.Fatal(err)
	}
	l.SetFaults(set.OnSSH)
	return set
}

// knock connects and reads the server's name.
func (l *lab) knock(m host.Machine) (net.Conn, string, error) {
	l.t.Helper()
	conn, err := (&net.Dialer{}).DialContext(l.t.Context(), "tcp", net.JoinHostPort(m.Addresses[0].String(), itoa(l.Port())))
	if err != nil {
		return nil, "", err
	}
	l.t.Cleanup(func() { conn.Close() })
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second)) // it is a socket
	buf := make([]byte, 256)
	n, err := conn.Read(buf)
	return conn, string(buf[:n]), err
}

// silent reports whether nothing comes, and no end, for a while.
func silent(conn net.Conn) bool {
	_ = conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond)) // it is a socket
	_, err := io.ReadFull(conn, make([]byte, 1))
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

const banner = "SSH-2.0-azlin_emulator\r\n"

func TestFaultsOnTheWire(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	m, other := l.machine("faulty"), l.machine("sound")
	l.start(m)
	l.start(other)

	l.suffer(fault.Rule{Effect: fault.SSHRefuse, Name: "FAULTY"})
	if _, said, err := l.knock(m); err == nil || said != "" || !strings.Contains(err.Error(), "reset by peer") {
		t.Errorf("refuse: %q, %v", said, err)
	}
	if _, said, err := l.knock(other); err != nil || !strings.HasPrefix(said, banner[:8]) {
		t.Errorf("another VM: %q, %v", said, err)
	}

	l.suffer(fault.Rule{Effect: fault.SSHHang})
	conn, said, err := l.knock(m)
	if err != nil || said != banner || !silent(conn) {
		t.Errorf("hang: %q, %v", said, err)
	}

	l.suffer(fault.Rule{Effect: fault.SSHFreeze, Bytes: 10})
	conn, said, err = l.knock(m)
	if err != nil || said != banner[:10] || !silent(conn) {
		t.Errorf("freeze: %q, %v", said, err)
	}
	if _, err := conn.Write(bytes.Repeat([]byte("x"), 1<<20)); err != nil {
		t.Errorf("freeze: the connection does not stay: %v", err)
	}

	l.suffer(fault.Rule{Effect: fault.SSHDrop, Bytes: 10})
	conn, said, err = l.knock(m)
	if err != nil || said != banner[:10] || silent(conn) {
		t.Errorf("drop: %q, %v", said, err)
	}

	l.suffer(fault.Rule{Effect: fault.SSHDelay, Delay: 300 * time.Millisecond})
	began := time.Now()
	if _, said, err := l.knock(m); err != nil || said == "" || time.Since(began) < 300*time.Millisecond {
		t.Errorf("delay: %q after %s, %v", said, time.Since(began), err)
	}

	set := l.suffer(fault.Rule{Effect: fault.SSHHang, Count: 1, Skip: 1})
	for range 3 {
		if out := l.sh(m, "echo in"); out != "in" {
			t.Errorf("%q", out)
		}
		if set.List()[0].Matched == 1 {
			if conn, _, err := l.knock(m); err != nil || !silent(conn) {
				t.Errorf("the second: %v", err)
			}
		}
	}
	l.SetFaults(nil)
	if out := l.sh(m, "echo in"); out != "in" {
		t.Errorf("without faults: %q", out)
	}
}

// TestMaxStartups counts which of the connections that do not sign in are dropped: the same with the same seed.
func TestMaxStartups(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	trace := func(name string, seed uint64) string {
		m := l.machine(name)
		l.start(m)
		l.suffer(fault.Rule{Effect: fault.SSHLimit, Seed: seed, Name: name})
		var b strings.Builder
		for range 40 {
			if _, _, err := l.knock(m); err == nil {
				b.WriteByte('.')
			} else {
				b.WriteByte('x')
			}
		}
		if err := l.Remove(t.Context(), m.ID); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	first, second, other := trace("one", 1), trace("two", 1), trace("three", 2)
	if first != second || first == other || strings.Contains(first[:10], "x") || !strings.Contains(first[10:], "x") || !strings.Contains(first[10:], ".") {
		t.Errorf("%s, %s, and with another seed %s", first, second, other)
	}
}

// TestStartupsEndWithTheLogin sees that those who have signed in are not counted.
func TestStartupsEndWithTheLogin(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	m := l.machine("busy")
	l.start(m)
	set := l.suffer(fault.Rule{Effect: fault.SSHLimit})
	var stay []*exec.Cmd
	for n := range 14 {
		cmd := l.command("ssh", "openssh-client", append(l.options(), "-p", itoa(l.Port()), m.AdminUser+"@"+m.Addresses[0].String(), "echo in; cat")...)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		stay = append(stay, cmd)
		defer in.Close()
		if _, err := io.ReadFull(out, make([]byte, 3)); err != nil {
			t.Fatalf("connection %d: %v", n, err)
		}
	}
	if set.List()[0].Struck != len(stay) {
		t.Errorf("%d connections", set.List()[0].Struck)
	}
	l.SetFaults(nil)
	for _, cmd := range stay {
		_ = cmd.Process.Kill() // it would wait for its input
		_ = cmd.Wait()
	}
}

// TestMaxSessions asks one connection for an eleventh session.
func TestMaxSessions(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	m := l.machine("sessions")
	l.start(m)
	client := l.client(m)
	for n := range 10 {
		s, err := client.NewSession()
		if err != nil {
			t.Fatalf("session %d: %v", n, err)
		}
		defer s.Close()
		if err := s.Start("sleep 60"); err != nil {
			t.Fatalf("session %d: %v", n, err)
		}
	}
	if _, err := client.NewSession(); err == nil || !strings.Contains(err.Error(), "connect failed") {
		t.Errorf("the eleventh session: %v", err)
	}
}

// TestFaultsInside sees that those who come through the VM's network meet the same faults.
func TestFaultsInside(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	m := l.machine("private")
	m.Addresses = nil
	l.start(m)
	from, to := netip.MustParseAddrPort("10.0.1.4:50000"), netip.MustParseAddrPort("10.0.0.4:22")
	read := func() (string, error) {
		conn, err := l.Dial(t.Context(), m.ID, from, to)
		if err != nil {
			return "", err
		}
		defer conn.Close()
		var b strings.Builder
		_ = conn.SetReadDeadline(time.Now().Add(time.Second)) // pipes have them
		_, err = io.Copy(&b, conn)
		return b.String(), err
	}
	for _, test := range []struct {
		rule fault.Rule
		says string
		fail string
	}{
		{fault.Rule{Effect: fault.SSHRefuse}, "", "connection refused"},
		{fault.Rule{Effect: fault.SSHHang}, banner, "timeout"},
		{fault.Rule{Effect: fault.SSHFreeze, Bytes: 5}, banner[:5], "timeout"},
		{fault.Rule{Effect: fault.SSHDrop, Bytes: 5}, banner[:5], "<nil>"},
	} {
		set := l.suffer(test.rule)
		said, err := read()
		if said != test.says || !strings.Contains(fmt.Sprint(err), test.fail) || set.List()[0].Struck != 1 {
			t.Errorf("%s: %q, %v, %d struck", test.rule.Effect, said, err, set.List()[0].Struck)
		}
	}
}
