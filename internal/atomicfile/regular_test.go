//go:build unix

package atomicfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/internal/atomicfile"
)

// TestPipesAreRefused shows that nothing waits for the other end of a pipe, and that nothing replaces one.
func TestPipesAreRefused(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "config.toml")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	link := name + ".link"
	if err := os.Symlink(name, link); err != nil {
		t.Fatal(err)
	}
	for what, f := range map[string]func() error{
		"read":           func() error { _, err := atomicfile.Read(name); return err },
		"read by a link": func() error { _, err := atomicfile.Read(link); return err },
		"open to write":  func() error { _, err := atomicfile.Open(name, os.O_RDWR|os.O_CREATE, 0o600); return err },
		"open to append": func() error { _, err := atomicfile.Open(name, os.O_WRONLY|os.O_APPEND, 0o600); return err },
		"write":          func() error { return atomicfile.Write(name, []byte("x"), 0o600) },
		"recall":         func() error { _, err := atomicfile.Recall(name, func([]byte) error { return nil }); return err },
		"lock": func() error {
			return atomicfile.Locked(t.Context(), filepath.Join(filepath.Dir(name), "x"), func() error { return nil })
		},
	} {
		if what == "lock" {
			if err := syscall.Mkfifo(filepath.Join(filepath.Dir(name), "x.lock"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		ended := make(chan error, 1)
		go func() { ended <- f() }()
		select {
		case err := <-ended:
			if !errors.Is(err, atomicfile.ErrNotRegular) {
				t.Errorf("%s: got %v", what, err)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%s waits", what)
		}
	}
	if info, err := os.Stat(name); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Errorf("the pipe was replaced: %v, %v", info, err)
	}
}

// TestLeftoversOfKilledWritersAreRemoved shows that they do not stay for good: some hold private keys.
func TestLeftoversOfKilledWritersAreRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "a.json")
	old, young, other, foreign := filepath.Join(dir, ".a.json.tmp-1"), filepath.Join(dir, ".a.json.tmp-2"), filepath.Join(dir, ".b.json.tmp-3"), filepath.Join(dir, "a.json.tmp-4")
	for _, f := range []string{old, young, other, foreign} {
		if err := os.WriteFile(f, []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	past := time.Now().Add(-time.Hour)
	for _, f := range []string{old, other, foreign} {
		if err := os.Chtimes(f, past, past); err != nil {
			t.Fatal(err)
		}
	}
	left := func(want ...string) {
		t.Helper()
		for _, f := range []string{old, young, other, foreign} {
			_, err := os.Stat(f)
			wanted := false
			for _, w := range want {
				wanted = wanted || w == f
			}
			if there := err == nil; there != wanted {
				t.Errorf("%s: there %v, want %v", filepath.Base(f), there, wanted)
			}
		}
	}
	if err := atomicfile.Write(name, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	left(young, other, foreign)
	atomicfile.Sweep(dir)
	left(young, foreign)
}
