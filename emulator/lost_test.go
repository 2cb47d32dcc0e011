//go:build unix

package emulator_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/emulator"
)

// TestPipeInPlaceOfState: an emulator whose file is a pipe says so, instead of waiting for somebody to write to it.
func TestPipeInPlaceOfState(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, err := emulator.New(emulator.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "state", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files of the state: %v", err)
	}
	for _, file := range append(files, filepath.Join(dir, "client-secret")) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(file, 0o600); err != nil {
			t.Fatal(err)
		}
		failed := make(chan error, 1)
		go func() {
			e, err := emulator.New(emulator.Options{Dir: dir})
			if err == nil {
				_ = e.Close()
			}
			failed <- err
		}()
		select {
		case err := <-failed:
			healed := filepath.Base(file) == "client-secret" // from its copy
			if healed != (err == nil) || !healed && !strings.Contains(err.Error(), "not a regular file") {
				t.Errorf("%s: %v", file, err)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: it waits", file)
		}
		if err := os.RemoveAll(file); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBothJournalsAreGone: what is lost with both copies of the journal is told.
func TestBothJournalsAreGone(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(string) error{
		"missing": os.Remove,
		"empty":   func(file string) error { return os.Truncate(file, 0) },
	} {
		dir := filepath.Join(t.TempDir(), "state")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := emulator.Start(ctx, starter(t, dir)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = emulator.Stop(context.Background(), dir) })
		if err := emulator.Seed(ctx, dir, emulator.SeedOptions{VMs: 2}); err != nil {
			t.Fatal(err)
		}
		if err := emulator.Stop(ctx, dir); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(dir, "state", "*journal*"))
		if err != nil || len(files) < 2 {
			t.Fatalf("journals: %v, %v", files, err)
		}
		for _, file := range files {
			if err := spoil(file); err != nil {
				t.Fatal(err)
			}
		}
		st, err := emulator.Start(ctx, starter(t, dir))
		if err != nil || !strings.Contains(st.StateNote, "are lost") {
			t.Errorf("%s: %q, %v", name, st.StateNote, err)
		}
	}
}
