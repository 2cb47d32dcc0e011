package owner_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/azlin-dev/azlin/internal/owner"
)

func TestTakeAndLeave(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a", "b")
	if _, err := owner.Left(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("one that is not there: %v", err)
	}
	d, err := owner.Take(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, take := range map[string]func(string) (*owner.Dir, error){"Take": owner.Take, "Left": owner.Left} {
		if _, err := take(path); !errors.Is(err, owner.ErrTaken) {
			t.Errorf("%s of one that is held: %v", name, err)
		}
	}
	if err := d.Release(); err != nil {
		t.Fatal(err)
	}
	if d, err = owner.Left(path); err != nil {
		t.Fatal(err)
	}
	if err := d.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

// TestOneAtATime: many take, fill and remove the same directory. It never has two owners, and none loses what they put into it.
func TestOneAtATime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "d")
	var owners, taken atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 300 {
				d, err := owner.Take(path)
				if err != nil {
					if !errors.Is(err, owner.ErrTaken) {
						t.Error(err)
					}
					continue
				}
				taken.Add(1)
				if n := owners.Add(1); n != 1 {
					t.Errorf("%d owners", n)
				}
				mine := filepath.Join(path, "mine")
				if err := os.WriteFile(mine, nil, 0o600); err != nil {
					t.Error(err)
				}
				runtime.Gosched()
				if _, err := os.Stat(mine); err != nil {
					t.Error(err)
				}
				owners.Add(-1)
				if err := d.Remove(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if taken.Load() == 0 {
		t.Error("nobody ever had it")
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
