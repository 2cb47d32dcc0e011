package atomicfile_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/azlin-dev/azlin/internal/atomicfile"
	"github.com/azlin-dev/azlin/internal/damage"
)

func TestSealIsJSON(t *testing.T) {
	t.Parallel()
	for _, object := range []string{`{}`, ` { } `, `{"a":1}`, "{\n  \"a\": [1, 2]\n}\n"} {
		sealed, err := atomicfile.Seal([]byte(object))
		if err != nil {
			t.Fatal(err)
		}
		var with, without map[string]any
		if err := errors.Join(json.Unmarshal(sealed, &with), json.Unmarshal([]byte(object), &without)); err != nil {
			t.Fatalf("%s: %v", sealed, err)
		}
		delete(with, "checksum")
		if !reflect.DeepEqual(with, without) || atomicfile.Verify(sealed) != nil {
			t.Errorf("%s became %s, %v", object, sealed, atomicfile.Verify(sealed))
		}
		if err := atomicfile.Verify([]byte(object)); err != nil {
			t.Errorf("without a seal: %v", err)
		}
	}
	if _, err := atomicfile.Seal([]byte("[]")); err == nil {
		t.Error("a list was sealed")
	}
}

// TestRecall damages a file a thousand times: its copy is read, and what is in neither is an error.
func TestRecall(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "f.json")
	const object = `{"secret":"hunter2","number":12345678,"list":["a","b"]}`
	usable := func(data []byte) error {
		var o struct{ Secret string }
		if err := json.Unmarshal(data, &o); err != nil || o.Secret == "" {
			return errors.New("not usable")
		}
		return nil
	}
	if err := atomicfile.Keep(name, []byte(object), 0o600); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 1))
	for i := range 1000 {
		spoilt, how := damage.Spoil(random, whole, i)
		if err := os.WriteFile(name, spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := atomicfile.Recall(name, usable)
		var o struct {
			Secret string
			Number int
		}
		if err != nil || json.Unmarshal(got, &o) != nil || o.Secret != "hunter2" || o.Number != 12345678 {
			t.Fatalf("%s: %q, %v", how, got, err)
		}
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(name), ".f.json.copy"), whole[:20], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, whole[:len(whole)-9], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := atomicfile.Recall(name, usable); !errors.Is(err, atomicfile.ErrDamaged) {
		t.Errorf("both damaged: %v", err)
	}
	if err := atomicfile.Forget(name); err != nil {
		t.Fatal(err)
	}
	if _, err := atomicfile.Recall(name, usable); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("forgotten: %v", err)
	}
	if left, err := os.ReadDir(filepath.Dir(name)); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
