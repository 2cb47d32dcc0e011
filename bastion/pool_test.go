package bastion_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/bastion"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/host"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/test/wait"
)

// pooledLab is a lab with VMs named a, b, ... behind one Bastion.
func pooledLab(t *testing.T, names ...string) (private, bastion.Bastion, map[string]string) {
	t.Helper()
	p := private{lab: newLab(t, emulator.Options{Hosts: local.Hosts(t, host.Options{})}), signer: newSigner(t)}
	p.vnet = p.lab.vnet("net", "10.1.0.0/16")
	ids := map[string]string{}
	for _, n := range names {
		ids[n], _ = p.privateVM(n, p.vnet, p.signer.PublicKey())
	}
	return p, p.bastion("hub", p.vnet, bastion.Standard), ids
}

func (p private) pool(o bastion.PoolOptions) *bastion.Pool {
	pool := p.bastions.NewPool(o)
	p.Cleanup(func() {
		if err := pool.Close(); err != nil {
			p.Error(err)
		}
	})
	return pool
}

func (p private) get(pool *bastion.Pool, vm string, b bastion.Bastion) bastion.PooledTunnel {
	p.Helper()
	tunnel, err := pool.Get(p.Context(), vm, b)
	if err != nil {
		p.Fatal(err)
	}
	return tunnel
}

func at(port int) string { return net.JoinHostPort("127.0.0.1", fmt.Sprint(port)) }

// hostname asks the VM behind a local port for its name.
func (p private) hostname(port int) (string, error) {
	conn, err := net.DialTimeout("tcp", at(port), 5*time.Second)
	if err != nil {
		return "", err
	}
	return run(conn, p.signer, "hostname")
}

// listens reports whether somebody listens at a local port.
func listens(port int) bool {
	c, err := net.DialTimeout("tcp", at(port), time.Second)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

func TestPoolReusesTunnels(t *testing.T) {
	t.Parallel()
	p, b, vms := pooledLab(t, "a", "b")
	pool := p.pool(bastion.PoolOptions{})
	first := p.get(pool, vms["a"], b)
	if first.VM != "a" || first.LocalPort == 0 || first.CreatedAt.IsZero() {
		t.Errorf("%+v", first)
	}
	if name, err := p.hostname(first.LocalPort); err != nil || name != "a" {
		t.Errorf("port %d leads to %q, %v", first.LocalPort, name, err)
	}
	shared := p.get(pool, strings.ToUpper(vms["a"]), b) // ids have no case
	other := p.get(pool, vms["b"], b)
	if shared.ID != first.ID || other.ID == first.ID || other.LocalPort == first.LocalPort {
		t.Errorf("first %+v, shared %+v, other %+v", first, shared, other)
	}
	pool.Release(first.ID)
	pool.Release(shared.ID)
	byName, err := pool.GetByName(t.Context(), "a", "hub", group)
	if err != nil || byName.ID != first.ID {
		t.Errorf("by name: %+v, %v", byName, err)
	}
	if l := pool.Tunnels(); len(l) != 2 {
		t.Errorf("tunnels: %+v", l)
	}
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
	for _, x := range []bastion.PooledTunnel{first, other} {
		if listens(x.LocalPort) {
			t.Errorf("port %d is still open", x.LocalPort)
		}
	}
	if _, err := pool.Get(t.Context(), vms["a"], b); !errors.Is(err, bastion.ErrPoolClosed) {
		t.Errorf("a closed pool: %v", err)
	}
}

// TestPoolIsShared has fifty users of one pool at once.
func TestPoolIsShared(t *testing.T) {
	t.Parallel()
	p, b, vms := pooledLab(t, "a", "b", "c")
	pool := p.pool(bastion.PoolOptions{MaxTunnels: 3})
	names := []string{"a", "b", "c"}
	var g errgroup.Group
	for n := range 50 {
		g.Go(func() error {
			want := names[n%len(names)]
			tunnel, err := pool.Get(t.Context(), vms[want], b)
			if err != nil {
				return err
			}
			defer pool.Release(tunnel.ID)
			got, err := p.hostname(tunnel.LocalPort)
			if err == nil && got != want {
				err = fmt.Errorf("the tunnel to %s leads to %s", want, got)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	if l := pool.Tunnels(); len(l) != 3 {
		t.Errorf("%d tunnels for three VMs", len(l))
	}
}

func TestPoolMakesRoom(t *testing.T) {
	t.Parallel()
	p, b, vms := pooledLab(t, "a", "b", "c")
	pool := p.pool(bastion.PoolOptions{MaxTunnels: 2})
	a, second := p.get(pool, vms["a"], b), p.get(pool, vms["b"], b)

	// All are in use: the third waits, in vain.
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := pool.Get(ctx, vms["c"], b); !errors.Is(err, bastion.ErrPoolExhausted) || errkind.Of(err) != errkind.Conflict {
		t.Errorf("a full pool: %v", err)
	}
	if !listens(a.LocalPort) || !listens(second.LocalPort) {
		t.Error("a tunnel in use was closed")
	}
	// One is given back while somebody waits: it makes room.
	got := make(chan error, 1)
	go func() {
		_, err := pool.Get(t.Context(), vms["c"], b)
		got <- err
	}()
	select {
	case err := <-got:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	pool.Release(second.ID)
	if err := <-got; err != nil {
		t.Errorf("after one was given back: %v", err)
	}
	if listens(second.LocalPort) || !listens(a.LocalPort) {
		t.Error("the wrong tunnel made room")
	}
}

func TestPoolForgetsOldTunnels(t *testing.T) {
	t.Parallel()
	p, b, vms := pooledLab(t, "a")
	pool := p.pool(bastion.PoolOptions{TTL: 200 * time.Millisecond, CleanupInterval: 50 * time.Millisecond})
	first := p.get(pool, vms["a"], b)
	// Wall time, as the VM is a process: several clean-ups find the tunnel too old.
	wait.Until(t, "it is old", func() bool { return time.Since(first.CreatedAt) > 300*time.Millisecond })
	if !listens(first.LocalPort) {
		t.Error("a tunnel in use was closed because it is old")
	}
	pool.Release(first.ID)
	wait.Until(t, "an old tunnel is closed", func() bool { return !listens(first.LocalPort) })
	if again := p.get(pool, vms["a"], b); again.ID == first.ID {
		t.Error("an old tunnel was handed out")
	}
}

// TestPoolChecksTunnels has the VM stop: what leads to it is not handed out.
func TestPoolChecksTunnels(t *testing.T) {
	t.Parallel()
	p, b, vms := pooledLab(t, "a")
	pool := p.pool(bastion.PoolOptions{})
	first := p.get(pool, vms["a"], b)
	answered := time.Now()
	pool.Release(first.ID)
	must[armcompute.VirtualMachinesClientPowerOffResponse](p.lab)(p.azure.VMs().BeginPowerOff(t.Context(), group, "a", nil))
	wait.Until(t, "its answer is more than a second ago", func() bool { return time.Since(answered) > 1100*time.Millisecond })
	if _, err := pool.Get(t.Context(), vms["a"], b); errkind.Of(err) != errkind.Unreachable || !errors.Is(err, bastion.ErrTunnel) {
		t.Errorf("the tunnel to a stopped VM: %v", err)
	}
	must[armcompute.VirtualMachinesClientStartResponse](p.lab)(p.azure.VMs().BeginStart(t.Context(), group, "a", nil))
	again := p.get(pool, vms["a"], b)
	if name, err := p.hostname(again.LocalPort); err != nil || name != "a" {
		t.Errorf("started again: %q %v", name, err)
	}
}

// TestTunnelDies ends a session at the Bastion while it is used.
func TestTunnelDies(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, b, vms := pooledLab(t, "a")
	_, p.bastions = p.open(func(_ *azure.Options, o *bastion.Options) { o.Dir = dir })
	conn, err := p.bastions.Dial(t.Context(), b, bastion.Target{VM: vms["a"]})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	reader := bufio.NewReader(conn)
	if line, err := reader.ReadString('\n'); err != nil || !strings.HasPrefix(line, "SSH-") {
		t.Fatalf("%q %v", line, err)
	}
	// The records are as secret as the sessions.
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("records: %v %v", files, err)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("record: %v %v", info.Mode(), err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}

	// Another process's clean-up leaves a living process's session alone.
	_, second := p.open(func(_ *azure.Options, o *bastion.Options) { o.Dir = dir })
	if done, err := second.Sweep(t.Context()); err != nil || done.Ended != 0 {
		t.Errorf("sweep beside a living process: %+v %v", done, err)
	}
	// The same record, left by a process that is no more: its session ends.
	gone := filepath.Join(dir, "gone")
	if err := os.Mkdir(gone, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"one.json": data, "broken.json": []byte("{")} {
		if err := os.WriteFile(filepath.Join(gone, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if done, err := second.Sweep(t.Context()); err != nil || done.Ended != 1 || done.Failed != 0 {
		t.Errorf("sweep: %+v %v", done, err)
	}
	if _, err := os.Stat(gone); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the records of the dead process stay: %v", err)
	}
	if _, err := reader.ReadString('\n'); err == nil {
		t.Error("the tunnel lives")
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left after closing: %v", left)
	}
}

// TestTokensAreRefreshed has the access token expire between two connections of one session.
func TestTokensAreRefreshed(t *testing.T) {
	t.Parallel()
	p := private{lab: newLab(t, emulator.Options{Hosts: local.Hosts(t, host.Options{}), TokenLifetime: 3 * time.Second}), signer: newSigner(t)}
	p.vnet = p.lab.vnet("net", "10.1.0.0/16")
	p.vm, _ = p.privateVM("box", p.vnet, p.signer.PublicKey())
	b := p.bastion("hub", p.vnet, bastion.Standard)
	x, err := p.bastions.Session(b, bastion.Target{VM: p.vm})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	signedIn := time.Now()
	for n := range 2 {
		if n > 0 {
			wait.Until(t, "the token has expired", func() bool { return time.Since(signedIn) > 3100*time.Millisecond }) // in wall time
		}
		conn, err := x.Dial(t.Context())
		if err != nil {
			t.Fatalf("connection %d: %v", n, err)
		}
		if name, err := run(conn, p.signer, "hostname"); err != nil || name != "box" {
			t.Errorf("connection %d: %q %v", n, name, err)
		}
	}
}

// TestForwardCarriesMany uses one local port for several connections at once, and closes it under them.
func TestForwardCarriesMany(t *testing.T) {
	t.Parallel()
	p, b, vms := pooledLab(t, "a")
	f, err := p.bastions.Forward(t.Context(), b, bastion.Target{VM: vms["a"]}, 0, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	if host, _, _ := net.SplitHostPort(at(f.Port())); host != "127.0.0.1" {
		t.Errorf("listens at %s", host)
	}
	var open []net.Conn
	var all sync.WaitGroup
	for range 5 {
		c, err := net.Dial("tcp", at(f.Port()))
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
		all.Go(func() {
			if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.HasPrefix(line, "SSH-") {
				t.Errorf("%q %v", line, err)
			}
		})
	}
	all.Wait()
	if n := f.Active(); n != 5 || f.LastUsed().IsZero() {
		t.Errorf("%d connections", n)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	for _, c := range open {
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		for buf := make([]byte, 4096); ; {
			if _, err := c.Read(buf); err != nil {
				if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
					t.Error("a connection outlives its forward")
				}
				break
			}
		}
		_ = c.Close()
	}
	if listens(f.Port()) {
		t.Error("the port is still open")
	}
}
