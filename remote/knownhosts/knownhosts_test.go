package knownhosts_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/damage"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/knownhosts"
	"github.com/azlin-dev/azlin/test/local/machine"
)

func TestKnownHostsPinAndForget(t *testing.T) {
	t.Parallel()
	known := knownhosts.File{Path: filepath.Join(t.TempDir(), "known_hosts")}
	if key, err := known.Lookup("vm-1"); key != nil || err != nil {
		t.Fatalf("an absent file: %v, %v", key, err)
	}
	first, announced := machine.HostKey(t)
	other, _ := machine.HostKey(t)
	for _, id := range []string{"VM-1", "vm-2"} {
		if err := known.Pin(t.Context(), id, first); err != nil {
			t.Fatal(err)
		}
	}
	// The same again is nothing new; another key is refused.
	if err := known.Pin(t.Context(), "vm-1", first); err != nil {
		t.Error(err)
	}
	err := known.Pin(t.Context(), "vm-1", other)
	if !errors.Is(err, remote.ErrHostKey) || errkind.Of(err) != errkind.HostKey {
		t.Errorf("another key was pinned: %v", err)
	}
	if n := strings.Count(read(t, known.Path), "\n"); n != 2 {
		t.Errorf("%d lines, want 2", n)
	}
	if info, err := os.Stat(known.Path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	// A recorded key beats the announced one: disagreement is refused, silence is not.
	if key, err := known.Identify(t.Context(), "vm-1", ""); err != nil || string(key.Marshal()) != string(first.Marshal()) {
		t.Errorf("got %v, %v", key, err)
	}
	if _, err := known.Identify(t.Context(), "vm-1", ssh2line(other)); !errors.Is(err, remote.ErrHostKey) {
		t.Errorf("a changed tag was believed: %v", err)
	}
	if err := known.Forget(t.Context(), "vm-1"); err != nil {
		t.Fatal(err)
	}
	if key, err := known.Identify(t.Context(), "vm-1", announced.Public); err != nil || key == nil {
		t.Errorf("after forgetting: %v, %v", key, err)
	}
	if key, err := known.Lookup("vm-2"); err != nil || key == nil {
		t.Errorf("forgetting one forgot another: %v, %v", key, err)
	}
}

func TestIdentifyUnknown(t *testing.T) {
	t.Parallel()
	known := knownhosts.File{Path: filepath.Join(t.TempDir(), "known_hosts")}
	if key, err := known.Identify(t.Context(), "vm", ""); key != nil || err != nil {
		t.Errorf("nothing known: %v, %v", key, err)
	}
	if _, err := known.Identify(t.Context(), "vm", "garbage"); !errors.Is(err, remote.ErrHostKey) {
		t.Errorf("a garbled tag: %v", err)
	}
}

func ssh2line(key ssh.PublicKey) string { return string(ssh.MarshalAuthorizedKey(key)) }

func FuzzKnownHosts(f *testing.F) {
	f.Add("azlin-vm ssh-ed25519 AAAA\n")
	f.Add("# comment\n\n@cert-authority * x y")
	f.Add("\n\n")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, content string) {
		known := knownhosts.File{Path: filepath.Join(dir, "known_hosts")}
		if err := os.WriteFile(known.Path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		key, _ := machine.HostKey(t)
		if known.Pin(t.Context(), "fuzzed", key) != nil {
			if read(t, known.Path) != content {
				t.Error("a refused pin changed the file")
			}
			return
		}
		if !strings.HasPrefix(read(t, known.Path), content) {
			t.Error("pinning changed other lines")
		}
		if got, err := known.Lookup("fuzzed"); err != nil || got == nil {
			t.Errorf("what was pinned is not found: %v, %v", got, err)
		}
	})
}

// TestDamagedKnownHosts spoils the file a thousand times: a VM has the key that was recorded for it, or none, or the file
// is named; never a key of somebody else's.
func TestDamagedKnownHosts(t *testing.T) {
	t.Parallel()
	known := knownhosts.File{Path: filepath.Join(t.TempDir(), "known_hosts")}
	keys := map[string]string{}
	for _, vm := range []string{"vm-1", "vm-2", "vm-3"} {
		key, _ := machine.HostKey(t)
		if err := known.Pin(t.Context(), vm, key); err != nil {
			t.Fatal(err)
		}
		keys[vm] = ssh2line(key)
	}
	whole := read(t, known.Path)
	random := rand.New(rand.NewPCG(14, 0))
	changed := 0
	for i := range 1000 {
		spoilt, how := damage.Spoil(random, []byte(whole), i)
		if err := os.WriteFile(known.Path, spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		for vm, want := range keys {
			key, err := known.Lookup(vm)
			if err != nil || key == nil {
				continue
			}
			// A bit within the key itself makes another key, which no VM has: it is refused when it connects.
			if got := ssh2line(key); got != want {
				changed++
				for _, other := range keys {
					if got == other {
						t.Fatalf("%s: %s has the key of another VM", how, vm)
					}
				}
			}
		}
	}
	t.Logf("%d keys were changed", changed)
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
