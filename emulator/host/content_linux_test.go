package host_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/emulator/host"
)

// hostsOf opens a runtime whose directory is known, as the VMs' user reaches it.
func hostsOf(t *testing.T) (*host.Runtime, string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "azlin-hosts-") //nolint:usetesting // t.TempDir is closed to the VMs' user
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // nothing is left to be said
	r, err := host.Open(host.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, h := range r.Hosts() {
			if err := r.Remove(t.Context(), h.ID); err != nil {
				t.Error(err)
			}
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := r.Available(); err != nil {
		t.Skip(err)
	}
	return r, dir
}

// TestKeptDisk: a VM that begins with another one's disk finds all of it, also what is closed to everybody, what was deleted of
// the system's files, and what only root may read. It does not matter whether the VM ran when the copy was made.
func TestKeptDisk(t *testing.T) {
	t.Parallel()
	r, _ := hostsOf(t)
	run := func(m host.Machine, script string) string {
		t.Helper()
		out, err := r.Run(t.Context(), m.ID, script, nil)
		if err != nil || out.ExitCode != 0 {
			t.Fatalf("%s: %v %+v", script, err, out)
		}
		return out.Stdout
	}
	one := host.Machine{ID: "/one", VMID: "one", Hostname: "one", AdminUser: "ann"}
	if err := r.Start(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	run(one, `mkdir -p /srv/closed/in /etc/new /opt/tool; echo shut > /srv/closed/in/file; chmod 000 /srv/closed/in/file /srv/closed
		rm /etc/issue; rm -rf /etc/apt; mkdir /etc/apt; echo mine > /etc/apt/mine; echo no > /tmp/gone; echo kept > /var/tmp/kept
		ln -s /nowhere /root/link; ln /var/tmp/kept /var/tmp/again; echo x > "/home/ann/ odd	name"; chmod 4755 /opt/tool`)
	const state = `cat /srv/closed/in/file /var/tmp/again "/home/ann/ odd	name"; stat -c %a /srv/closed /srv/closed/in/file /opt/tool; test -e /etc/issue || echo no issue
		ls /etc/apt; readlink /root/link; test -e /tmp/gone || echo no tmp; test /var/tmp/kept -ef /var/tmp/again && echo one file`
	want := "shut\nkept\nx\n0\n0\n4755\nno issue\nmine\n/nowhere\nno tmp\none file\n"

	for i, prepare := range []func() error{
		func() error { return nil },
		func() error { return r.Stop(t.Context(), one.ID) },
	} {
		if err := prepare(); err != nil {
			t.Fatal(err)
		}
		key, copied := "key"+itoa(i), "copied"+itoa(i)
		if err := r.Keep(t.Context(), one.ID, key); err != nil {
			t.Fatal(err)
		}
		if err := r.CopyKept(t.Context(), key, copied); err != nil {
			t.Fatal(err)
		}
		next := host.Machine{ID: "/next" + itoa(i), VMID: "next" + itoa(i), Hostname: "next", AdminUser: "ann", Disk: copied}
		if err := r.Start(t.Context(), next); err != nil {
			t.Fatal(err)
		}
		if got := run(next, state); got != want {
			t.Errorf("copy %d: the VM says %q, not %q", i, got, want)
		}
	}
}

// TestCopyIsOfTheVMOnly: a VM that puts links into the way of a copy gets nothing of the host into it.
func TestCopyIsOfTheVMOnly(t *testing.T) {
	t.Parallel()
	r, dir := hostsOf(t)
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "token"), []byte("TOP SECRET"), 0o644); err != nil {
		t.Fatal(err)
	}
	m := host.Machine{ID: "/racer", VMID: "racer", Hostname: "racer", AdminUser: "ann"}
	if err := r.Start(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	script := `mkdir -p /srv/race/a; cd /srv/race; n=0; while [ $n -lt 300 ]; do : > a/$n; n=$((n+1)); done; echo mine > a/token; echo mine > token
		printf 'while :; do mv -T $1 $1.real; ln -s $2 $1; rm $1; mv -T $1.real $1; done' > swap
		for w in "a ` + outside + `" "a /dev" "token ` + outside + `/token"; do setsid sh swap $w </dev/null >/dev/null 2>&1 & done`
	if out, err := r.Run(t.Context(), m.ID, script, nil); err != nil || out.ExitCode != 0 {
		t.Fatalf("%v %+v", err, out)
	}
	for i := range 15 {
		if err := r.Keep(t.Context(), m.ID, "key"+itoa(i)); err != nil {
			t.Errorf("copy %d: %v", i, err)
		}
	}
	if err := r.Stop(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	races := 0
	err := filepath.WalkDir(filepath.Join(dir, "contents"), func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.Type()&fs.ModeDevice != 0:
			t.Errorf("%s is a device", path)
		case d.IsDir() && d.Name() == "race":
			races++
		case d.Type().IsRegular() && strings.Contains(path, "/race/"):
			data, err := os.ReadFile(path)
			if err != nil || bytes.Contains(data, []byte("SECRET")) {
				t.Errorf("%s: %q, %v", path, data, err)
			}
		}
		return nil
	})
	if err != nil || races == 0 {
		t.Errorf("%d copies were looked at, %v", races, err)
	}
}
