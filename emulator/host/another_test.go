package host_test

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/azlin-dev/azlin/emulator/host"
)

// TestAnotherVMOfTheName: a VM that was never removed, because whoever knew it was wiped, leaves its files to nobody.
// The same VM finds them again.
func TestAnotherVMOfTheName(t *testing.T) {
	t.Parallel()
	newLab(t) // skips where VMs cannot run
	dir := filepath.Join(t.TempDir(), "hosts")
	read := func(vmID, script string) string {
		t.Helper()
		r, err := host.Open(host.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		m := host.Machine{ID: "/vm", VMID: vmID, Hostname: "dev", AdminUser: "ann", Addresses: []netip.Addr{}}
		if err := r.Start(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		out, err := r.Run(t.Context(), m.ID, script, nil)
		if err := errors.Join(err, r.Close()); err != nil {
			t.Fatal(err)
		}
		return out.Stdout
	}
	const keys = "cat /etc/ssh/ssh_host_ed25519_key.pub; cat /home/ann/kept 2>/dev/null; true"
	first := read("one", "echo mine > /home/ann/kept; "+keys)
	if again := read("one", keys); again != first {
		t.Errorf("the same VM was %q and is %q", first, again)
	}
	if other := read("two", keys); other == first || len(other) == 0 || len(other) >= len(first) {
		t.Errorf("another VM has the files of the first: %q", other)
	}
}

// TestDamagedFilesOfAVM: what a crash left of the files beside a VM takes neither its files nor its host key away.
func TestDamagedFilesOfAVM(t *testing.T) {
	t.Parallel()
	newLab(t) // skips where VMs cannot run
	// The VMs' user must reach it: the files are elsewhere otherwise.
	dir, err := os.MkdirTemp("", "azlin-hosts-") //nolint:usetesting // t.TempDir is closed to the VMs' user
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // nothing is left to be said
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	read := func(script string) string {
		t.Helper()
		r, err := host.Open(host.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		m := host.Machine{ID: "/vm", VMID: "0b1f6471-1bf0-4dda-aec3-cb9272f09590", Hostname: "dev", AdminUser: "ann", Addresses: []netip.Addr{}}
		if err := r.Start(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		out, err := r.Run(t.Context(), m.ID, script, nil)
		if err := errors.Join(err, r.Close()); err != nil {
			t.Fatal(err)
		}
		return out.Stdout
	}
	const keys = "cat /etc/ssh/ssh_host_ed25519_key.pub /home/ann/kept"
	first := read("echo mine > /home/ann/kept; " + keys)
	damaged := 0
	for _, name := range []string{"vmid", "id", "host_key"} {
		files, err := filepath.Glob(filepath.Join(dir, "machines", "*", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			whole, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, left := range []int{0, len(whole) / 2, len(whole) - 2} {
				if err := os.WriteFile(file, whole[:left], 0o600); err != nil {
					t.Fatal(err)
				}
				damaged++
				if again := read(keys); again != first {
					t.Errorf("%d bytes of %s are left: the VM was %q and is %q", left, name, first, again)
				}
				if err := os.WriteFile(file, whole, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if damaged != 9 {
		t.Errorf("%d files were damaged", damaged)
	}
}
