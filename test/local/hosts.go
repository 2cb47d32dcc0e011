package local

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/azlin-dev/azlin/emulator/host"
)

// Operator is the address of the person at the client, as VMs and network rules see it.
func Operator() netip.Addr { return netip.AddrFrom4([4]byte{203, 0, 113, 10}) }

// OperatorOnly are the sources of a rule that admits nobody else.
func OperatorOnly() []netip.Prefix { return []netip.Prefix{netip.PrefixFrom(Operator(), 32)} }

// Hosts makes what emulated VMs run on, in a directory of the test's own, and closes it with the test. The kernel chooses
// the port of their SSH servers. Where they cannot run, it skips the test.
func Hosts(t testing.TB, o host.Options) *host.Runtime {
	t.Helper()
	o.Dir = filepath.Join(t.TempDir(), "hosts")
	if o.Port == 0 {
		o.Port = FreePort(t)
	}
	r, err := host.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := r.Available(); err != nil {
		t.Skip("emulated VMs cannot run here: ", err)
	}
	return r
}

// FreePort is a port that nobody listens at on this machine, by the kernel's choice.
func FreePort(t interface{ Fatalf(string, ...any) }) int {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer func() { _ = l.Close() }() // nobody has come
	return l.Addr().(*net.TCPAddr).Port
}

// LastingPort is a free port outside the range from which the kernel chooses by itself: one that is left and taken again
// stays free in between.
func LastingPort(t interface{ Fatalf(string, ...any) }) int {
	for range 1000 {
		port := 20000 + rand.IntN(10000)
		if l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			_ = l.Close() // nobody has come
			return port
		}
	}
	t.Fatalf("no port is free")
	return 0
}
