package atomicfile_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/internal/atomicfile"
)

func TestWriteReplacesAndSetsMode(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(name, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(name, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(name)
	if err != nil || string(data) != "new" {
		t.Errorf("got %q, %v", data, err)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600", info.Mode().Perm())
	}
}

func TestWriteFailureLeavesTheOldFileAndNoTemporaryOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "d") // a directory cannot be replaced by a file
	if err := os.Mkdir(name, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(name, []byte("x"), 0o600); err == nil {
		t.Fatal("no error")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestUpdateLosesNothing(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "counter")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			err := atomicfile.Update(context.Background(), name, 0o600, func(old []byte) ([]byte, error) {
				n := 0
				if old != nil {
					var err error
					if n, err = strconv.Atoi(string(old)); err != nil {
						return nil, err
					}
				}
				return []byte(strconv.Itoa(n + 1)), nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if data, err := os.ReadFile(name); err != nil || string(data) != "20" {
		t.Errorf("got %q, %v", data, err)
	}
}

func TestUpdateRefusesAndWaits(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "f")
	refused := errors.New("refused")
	if err := atomicfile.Update(t.Context(), name, 0o600, func([]byte) ([]byte, error) { return nil, refused }); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(name); !os.IsNotExist(err) {
		t.Error("a refused edit wrote the file")
	}
	err := atomicfile.Locked(t.Context(), name, func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		return atomicfile.Locked(ctx, name, func() error { return nil })
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a held lock: got %v", err)
	}
}
