package emulator_test

import (
	"bufio"
	"io/fs"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/host"
)

// bytesIn is the size of the files below a directory.
func bytesIn(t *testing.T, dir string) (n int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestLargeFleetOnDisk changes one VM of a thousand: what is written is that VM, and lists come in pages of 200.
func TestLargeFleetOnDisk(t *testing.T) {
	t.Parallel()
	const vms = 1000
	dir := t.TempDir()
	e, err := emulator.New(emulator.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Seed(emulator.SeedOptions{Group: "lab", VMs: vms}); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	r := newRaw(t, emulator.Options{Dir: dir}) // which closes it a second time
	whole := bytesIn(t, filepath.Join(dir, "state"))
	if whole > 40<<20 {
		t.Errorf("%d VMs take %d bytes", vms, whole)
	}
	r.ok(r.do("PATCH", comp+"virtualMachines/vm-500"+computeV, `{"tags":{"changed":"yes"}}`), 200)
	pages, n := 0, 0
	for next := comp + "virtualMachines" + computeV; next != ""; pages++ {
		a := r.ok(r.do("GET", next, ""), 200)
		page, _ := a.body["value"].([]any)
		if n += len(page); len(page) > 200 {
			t.Errorf("a page of %d", len(page))
		}
		next, _ = a.body["nextLink"].(string)
	}
	if pages != 5 || n != vms {
		t.Errorf("%d VMs on %d pages", n, pages)
	}
	if err := r.e.Close(); err != nil {
		t.Fatal(err)
	}
	if wrote := bytesIn(t, filepath.Join(dir, "state")) - whole; wrote < 100 || wrote > 32<<10 {
		t.Errorf("one change of %d bytes of state wrote %d", whole, wrote)
	}
}

// TestTwoHundredHosts has 200 VMs run at once, which start when they are reached.
func TestTwoHundredHosts(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it starts 200 VMs")
	}
	const vms = 200
	rt, err := host.Open(host.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rt.Close() })
	if err := rt.Available(); err != nil {
		t.Skipf("VMs do not boot here: %v", err)
	}
	l := newLab(t, emulator.Options{Hosts: rt})
	if err := l.e.Seed(emulator.SeedOptions{VMs: vms}); err != nil {
		t.Fatal(err)
	}
	all := rt.Hosts()
	if len(all) != vms {
		t.Fatalf("%d hosts are known", len(all))
	}
	for _, h := range all {
		if h.State != "lazy" {
			t.Fatalf("%s is %s before anybody came", h.Hostname, h.State)
		}
	}
	var g errgroup.Group
	g.SetLimit(8)
	for _, h := range all {
		g.Go(func() error {
			conn, err := net.DialTimeout("tcp", net.JoinHostPort(h.Addresses[0].String(), strconv.Itoa(h.Port)), time.Minute)
			if err != nil {
				return err
			}
			defer func() { _ = conn.Close() }()
			if err := conn.SetReadDeadline(time.Now().Add(2 * time.Minute)); err != nil {
				return err
			}
			line, err := bufio.NewReader(conn).ReadString('\n')
			if err == nil && !strings.HasPrefix(line, "SSH-2.0-") {
				t.Errorf("%s says %q", h.Hostname, line)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	running := 0
	for _, h := range rt.Hosts() {
		if h.State == "running" {
			running++
		}
	}
	if running != vms {
		t.Errorf("%d of %d run", running, vms)
	}
}
