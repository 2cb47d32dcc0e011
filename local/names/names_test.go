package names_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/local/names"
)

func TestNamesAreReadUntilSomethingChanges(t *testing.T) {
	t.Parallel()
	c := names.Cache{Dir: t.TempDir(), Scope: "public-1"}
	if all, fresh := c.Read("vm"); all != nil || fresh {
		t.Errorf("an empty cache has %v, %v", all, fresh)
	}
	want := []names.Name{{Name: "dev", About: "running", Group: "team"}}
	c.Keep("vm", want, true)
	all, fresh := c.Read("vm")
	if diff := cmp.Diff(want, all); diff != "" || !fresh {
		t.Errorf("fresh: %v\n%s", fresh, diff)
	}
	if all, _ := (names.Cache{Dir: c.Dir, Scope: "public-2"}).Read("vm"); all != nil {
		t.Errorf("another place has %v", all)
	}

	c.Doubt()
	if all, fresh := c.Read("vm"); len(all) != 1 || fresh {
		t.Errorf("after a change: %v, fresh %v", all, fresh)
	}
	c.Keep("vm", want, false) // while the change goes on
	if _, fresh := c.Read("vm"); fresh {
		t.Error("fresh while a change goes on")
	}
	c.Tried("vm")
	if all, fresh := c.Read("vm"); len(all) != 1 || !fresh {
		t.Errorf("after a request in vain: %v, to be asked again: %v", all, !fresh)
	}
	c.Keep("vm", want, true)
	if _, fresh := c.Read("vm"); !fresh {
		t.Error("not fresh after a new listing")
	}

	c.Since = time.Now().Add(time.Hour)
	if all, _ := c.Read("vm"); all != nil {
		t.Errorf("names of the subscription before: %v", all)
	}
}

func TestDamagedNamesAreNone(t *testing.T) {
	t.Parallel()
	c := names.Cache{Dir: t.TempDir(), Scope: "x"}
	c.Keep("vm", []names.Name{{Name: "dev"}}, true)
	files, err := filepath.Glob(filepath.Join(c.Dir, "names-*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if err := os.WriteFile(files[0], []byte(`{"names":[{"name":"evil"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if all, fresh := c.Read("vm"); all != nil || fresh {
		t.Errorf("a damaged file is read as %v", all)
	}
}
