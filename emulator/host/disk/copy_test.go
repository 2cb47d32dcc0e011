package disk_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/emulator/host/disk"
)

func roots(t *testing.T, from string) (source, target *os.Root, to string) {
	t.Helper()
	to = filepath.Join(t.TempDir(), "copy")
	if err := os.Mkdir(to, 0o700); err != nil {
		t.Fatal(err)
	}
	source, err := os.OpenRoot(from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { source.Close() })
	if target, err = os.OpenRoot(to); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { target.Close() })
	return source, target, to
}

// TestCopyKeeps: a copy is what tar sees of the original, and its holes take no room.
func TestCopyKeeps(t *testing.T) {
	t.Parallel()
	from := t.TempDir()
	script := `mkdir -p a/b 'odd	name' work tmp; echo text > a/b/file; chmod 4750 a/b/file; ln a/b/file a/hard; ln -s /nowhere a/link
		ln -s b a/inside; mkfifo a/pipe; : > a/empty; touch -d 2001-02-03 a/empty; chmod 1777 a/b; truncate -s 3G a/holes; printf end >> a/holes
		dd if=/dev/urandom of=a/data bs=64k count=20 2>/dev/null; echo no > work/x; echo no > tmp/x; touch -d 2002-02-03 a/b a`
	cmd := exec.CommandContext(t.Context(), "sh", "-euc", script)
	cmd.Dir = from
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("the tree cannot be made here: %v\n%s", err, out)
	}
	source, target, to := roots(t, from)
	if err := disk.Copy(t.Context(), source, target, "work", "tmp"); err != nil {
		t.Fatal(err)
	}
	// What is left out is gone from the original, too, before both are compared.
	const list = `find . -mindepth 1 \( -type l -printf '%P %y %l\n' -o -printf '%P %y %m %s %n %T@\n' \) | sort
		sha256sum a/data a/b/file; tail -c 3 a/holes; echo; test -e work || test -e tmp || echo neither; test a/hard -ef a/b/file && echo one file`
	look := func(dir string) string {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", list)
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	os.RemoveAll(filepath.Join(from, "work"))
	os.RemoveAll(filepath.Join(from, "tmp"))
	if want, got := look(from), look(to); got != want {
		t.Errorf("the copy is\n%s\nand not\n%s", got, want)
	}
	out, err := exec.CommandContext(t.Context(), "du", "-sk", to).Output()
	if err != nil {
		t.Fatal(err)
	}
	if kb, _, _ := strings.Cut(string(out), "\t"); len(kb) > 4 {
		t.Errorf("the copy takes %s kB", kb)
	}
}

// TestCopyFollowsNoSwappedLink: somebody puts links in the place of files and directories while they are copied. Nothing of
// where they lead is in any copy.
func TestCopyFollowsNoSwappedLink(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	for _, name := range []string{"token", "data"} {
		if err := os.WriteFile(filepath.Join(outside, name), []byte("TOP SECRET"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	from := t.TempDir()
	dir, file := filepath.Join(from, "race"), filepath.Join(from, "data")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{filepath.Join(dir, "token"), file} {
		if err := os.WriteFile(name, []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var over atomic.Bool
	stopped := make(chan struct{})
	swap := func(name, target string) { // each step may fail while another one is under way
		_ = os.Rename(name, name+".real")
		_ = os.Symlink(target, name)
		_ = os.Remove(name)
		_ = os.Rename(name+".real", name)
	}
	go func() {
		defer close(stopped)
		for !over.Load() {
			swap(dir, outside)
			swap(file, filepath.Join(outside, "data"))
		}
	}()
	copies := 0
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); copies++ {
		source, target, to := roots(t, from)
		if err := disk.Copy(t.Context(), source, target); err != nil {
			t.Errorf("copy %d: %v", copies, err)
		}
		source.Close()
		target.Close()
		err := filepath.Walk(to, func(path string, info os.FileInfo, err error) error {
			if err != nil || !info.Mode().IsRegular() {
				return err
			}
			if data, err := os.ReadFile(path); err != nil || strings.Contains(string(data), "SECRET") {
				t.Errorf("copy %d has %s: %q, %v", copies, path, data, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		os.RemoveAll(to)
	}
	over.Store(true)
	<-stopped
	if copies < 50 {
		t.Errorf("only %d copies were made", copies)
	}
}
