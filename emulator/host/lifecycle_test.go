package host_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/emulator/host"
	"github.com/azlin-dev/azlin/test/wait"
)

// dial says what a client meets at a VM's SSH port.
func (l *lab) dial(m host.Machine) string {
	l.t.Helper()
	d := net.Dialer{Timeout: 700 * time.Millisecond}
	c, err := d.DialContext(l.t.Context(), "tcp", net.JoinHostPort(m.Addresses[0].String(), itoa(l.Port())))
	var failure net.Error
	switch {
	case err == nil:
		c.Close()
		return "open"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.As(err, &failure) && failure.Timeout():
		return "timeout"
	}
	return err.Error()
}

func (l *lab) state(m host.Machine) string {
	for _, h := range l.Hosts() {
		if h.ID == m.ID {
			return h.State
		}
	}
	return "gone"
}

func TestReachability(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	m := l.machine("reach")
	// A process that another test is just starting may hold on to a socket until it has become another program.
	answers := func(when, want string, m host.Machine) {
		t.Helper()
		got := ""
		if !wait.Within(5*time.Second, func() bool { got = l.dial(m); return got == want }) {
			t.Errorf("%s: %s, want %s", when, got, want)
		}
	}
	check := func(when, want, state string) {
		t.Helper()
		answers(when, want, m)
		if got := l.state(m); got != state {
			t.Errorf("%s: state %s, want %s", when, got, state)
		}
	}
	check("before the start", "refused", "gone")
	l.start(m)
	check("running", "open", "running")
	l.sh(m, "echo kept > ~/file; sudo sh -c 'echo kept > /etc/file; echo kept > /usr/local/bin/file; echo gone > /tmp/file'")
	key := l.hostKey(m)

	m.Admitted = false
	if err := l.Update(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	check("not admitted", "timeout", "running")
	m.Admitted = true
	if err := l.Update(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	check("admitted again", "open", "running")

	if err := l.Stop(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	check("stopped", "timeout", "stopped")
	began := time.Now()
	out, err := l.ssh(m, []string{"-o", "ConnectTimeout=1"}, "true").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "timed out") || time.Since(began) < 900*time.Millisecond {
		t.Errorf("ssh to a stopped VM after %s: %s", time.Since(began), out)
	}
	if _, err := l.Run(t.Context(), m.ID, "true", nil); err == nil {
		t.Error("a command ran in a stopped VM")
	}

	// A client that waits while the VM starts gets through.
	waiting := make(chan error, 1)
	connect := func() error {
		d := net.Dialer{Timeout: time.Minute}
		c, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort(m.Addresses[0].String(), itoa(l.Port())))
		if err == nil {
			c.Close()
		}
		return err
	}
	go func() { waiting <- connect() }()
	wait.Until(t, "the client knocks", func() bool { return knocking(t, m.Addresses[0], l.Port()) })
	l.start(m)
	err = <-waiting
	if errors.Is(err, syscall.ECONNREFUSED) { // it knocked again while the system booted, on a busy machine
		err = connect()
	}
	if err != nil {
		t.Errorf("a waiting client: %v", err)
	}
	if got := l.sh(m, "cat ~/file /etc/file /usr/local/bin/file; cat /tmp/file 2>/dev/null || echo no"); got != "kept\nkept\nkept\nno" {
		t.Errorf("after the restart: %q", got)
	}
	if l.hostKey(m) != key {
		t.Error("the host key changed")
	}
	old := m
	m.Addresses = []netip.Addr{nextAddress()}
	if err := l.Update(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	check("at a new address", "open", "running")
	answers("the former address", "refused", old)
	if err := l.Remove(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	check("removed", "refused", "gone")
}

func TestRefusedWhileBooting(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	m := l.machine("slow")
	m.CustomData = []byte("#cloud-config\nbootcmd: ['sleep 2']\n")
	started := make(chan error, 1)
	go func() { started <- l.Start(t.Context(), m) }()
	wait.Until(t, "it boots", func() bool { return l.state(m) == "booting" })
	if got, state := l.dial(m), l.state(m); got != "refused" || state != "booting" {
		t.Errorf("%s in state %s", got, state)
	}
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	if got := l.dial(m); got != "open" {
		t.Errorf("after boot: %s", got)
	}
}

func TestStopWhileBooting(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	m := l.machine("stuck")
	m.CustomData = []byte("#cloud-config\nbootcmd: ['sleep 1000']\n")
	started := make(chan error, 1)
	go func() { started <- l.Start(t.Context(), m) }()
	wait.Until(t, "it boots", func() bool { return l.state(m) == "booting" })
	if err := l.Stop(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	if err := <-started; err == nil {
		t.Error("the start succeeded")
	}
	if got := l.state(m); got != "stopped" {
		t.Errorf("state %s", got)
	}
}

func TestLazy(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	many := 500
	if testing.Short() {
		many = 20
	}
	var first host.Machine
	for i := range many {
		m := l.machine(fmt.Sprintf("lazy%d", i))
		m.Lazy = true
		m.Addresses[0] = netip.AddrFrom4([4]byte{127, 76, byte(240 + os.Getpid()%10), byte(i)})
		if i > 255 {
			m.Addresses[0] = netip.AddrFrom4([4]byte{127, 76, byte(250 - os.Getpid()%5), byte(i)})
		}
		l.start(m)
		if i == 0 {
			first = m
		}
	}
	if got := l.state(first); got != "lazy" {
		t.Errorf("state %s", got)
	}
	if got := l.dial(first); got != "open" {
		t.Fatal(got)
	}
	wait.Until(t, "it runs after a connection", func() bool { return l.state(first) == "running" })
	l.trust(first)
	if got := l.sh(first, "hostname"); got != "lazy0" {
		t.Errorf("%q", got)
	}
}

func TestPowerFromInside(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	m := l.machine("power")
	l.start(m)
	if err := l.ssh(m, nil, "reboot").Run(); err == nil {
		t.Error("a login user rebooted the VM")
	}
	l.sh(m, "sudo touch /run/before")
	_ = l.ssh(m, nil, "sudo reboot").Run() // the connection breaks with it
	wait.Until(t, "it has rebooted", func() bool {
		r, err := l.Run(t.Context(), m.ID, "test -e /run/before", nil)
		return err == nil && r.ExitCode == 1
	})
	_ = l.ssh(m, nil, "sudo shutdown -h now").Run()
	wait.Until(t, "it has shut down", func() bool { return l.state(m) == "stopped" && l.dial(m) == "timeout" })
}

func TestRunAndPutUser(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	m := l.machine("run")
	l.start(m)
	r, err := l.Run(t.Context(), m.ID, "id -u; echo \"$1-$2\"; echo bad >&2; exit 4", []string{"a b", "c"})
	if err != nil || r != (host.RunResult{Stdout: "0\na b-c\n", Stderr: "bad\n", ExitCode: 4}) {
		t.Errorf("%+v %v", r, err)
	}
	if r, err := l.Run(t.Context(), m.ID, "#!/bin/bash\n[[ a == a ]] && echo bash", nil); err != nil || r.Stdout != "bash\n" {
		t.Errorf("%+v %v", r, err)
	}
	if err := l.PutUser(t.Context(), m.ID, "second", []string{l.public}); err != nil {
		t.Fatal(err)
	}
	m.AdminUser = "second"
	if got := l.sh(m, "id -un; sudo id -un"); got != "second\nroot" {
		t.Errorf("%q", got)
	}
	if _, err := l.Run(t.Context(), "/no/such", "true", nil); !errors.Is(err, host.ErrUnknown) {
		t.Errorf("%v", err)
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	const many = 32
	machines := make([]host.Machine, many)
	for i := range machines {
		machines[i] = l.machine(fmt.Sprintf("fleet%d", i))
	}
	began := time.Now()
	var all sync.WaitGroup
	for _, m := range machines {
		all.Go(func() {
			if err := l.Start(t.Context(), m); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	t.Logf("%d VMs in %s", many, time.Since(began))
	l.trust(machines[many-1])
	if got := l.sh(machines[many-1], "hostname"); got != "fleet31" {
		t.Errorf("%q", got)
	}
}

// TestKilledEmulator kills a process that runs a VM and looks for what it leaves behind.
func TestKilledEmulator(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv("HOST_TEST_VICTIM"); dir != "" {
		victim(t, dir)
		return
	}
	newLab(t) // skips where VMs cannot run
	dir := filepath.Join(t.TempDir(), "hosts")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledEmulator$")
	cmd.Env = append(os.Environ(), "HOST_TEST_VICTIM="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 256)
	n, err := out.Read(buf)
	if err != nil || !bytes.HasPrefix(buf[:n], []byte("marker ")) {
		t.Fatalf("%s %v", buf[:n], err)
	}
	marker := strings.Fields(string(buf[:n]))[1]
	if n := sleepers(t, marker); n == 0 {
		t.Fatal("the VM's process does not run")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	wait.Until(t, "no process of the VM outlives the emulator", func() bool { return sleepers(t, marker) == 0 })
	r, err := host.Open(host.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Remove(t.Context(), "/vm"), r.Close()); err != nil {
		t.Error(err)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil || bytes.Contains(mounts, []byte("azlin-emulator")) || bytes.Contains(mounts, []byte(dir)) {
		t.Errorf("mounts are left: %v\n%s", err, mounts)
	}
}

// victim runs a VM with a process in it until it is killed.
func victim(t *testing.T, dir string) {
	r, err := host.Open(host.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(t.Context(), host.Machine{ID: "/vm", Hostname: "victim", AdminUser: "azureuser"}); err != nil {
		t.Fatal(err)
	}
	marker := itoa(1_000_000 + os.Getpid())
	if _, err := r.Run(t.Context(), "/vm", "setsid sleep "+marker+" >/dev/null 2>&1 & setsid sudo -u azureuser sleep "+marker+" >/dev/null 2>&1 &", nil); err != nil {
		t.Fatal(err)
	}
	wait.Until(t, "both processes run", func() bool { return sleepers(t, marker) == 2 })
	fmt.Println("marker", marker)
	select {}
}

// knocking reports whether a client of this machine has asked for a connection and waits for the answer.
func knocking(t *testing.T, to netip.Addr, port int) bool {
	t.Helper()
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	a := to.As4()
	const synSent = "02"
	return strings.Contains(string(table), fmt.Sprintf(" %02X%02X%02X%02X:%04X %s ", a[3], a[2], a[1], a[0], port, synSent))
}

// sleepers counts the processes that sleep for exactly this long.
func sleepers(t *testing.T, marker string) int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range files {
		if line, err := os.ReadFile(f); err == nil && bytes.Equal(line, []byte("sleep\x00"+marker+"\x00")) {
			n++
		}
	}
	return n
}

// TestAddressInUseForAMoment boots a VM while somebody looks whether its address is free.
func TestAddressInUseForAMoment(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	m := l.machine("moment")
	other, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", net.JoinHostPort(m.Addresses[0].String(), itoa(l.Port())))
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(100*time.Millisecond, func() { _ = other.Close() })
	l.start(m)
	if out := l.sh(m, "echo in"); out != "in" {
		t.Errorf("%q", out)
	}
}
