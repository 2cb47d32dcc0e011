package change_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/errkind"
)

var now = time.Date(2026, 11, 22, 10, 0, 0, 0, time.FixedZone("west", -7*3600))

func TestStore(t *testing.T) {
	t.Parallel()
	s := change.Store{Dir: filepath.Join(t.TempDir(), "operations")}
	if all, err := s.List(); len(all) != 0 || err != nil {
		t.Fatalf("an absent directory gives %v, %v", all, err)
	}
	first := change.Make(change.New, "sub", "g", "dev", now)
	first.HostKey = &change.HostKey{Private: "secret", Public: "ssh-ed25519 AAAA"}
	first.Request = json.RawMessage(`{"Name":"dev"}`)
	second := change.Make(change.Start, "sub", "g", "dev", now.Add(time.Hour))
	second.ResumeToken = "signed"
	third := change.Make(change.New, "sub", "g", "other", now.Add(2*time.Hour))
	for _, op := range []*change.Operation{third, second, first} {
		if err := s.Save(op, now.Add(3*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]*change.Operation{first, second, third}, all, cmpopts.IgnoreUnexported(change.Operation{}), jsonText()); diff != "" {
		t.Errorf("want the oldest first, as saved (-want +got):\n%s", diff)
	}
	if all[0].Created.Location() != time.UTC || all[0].Updated.Hour() != 20 {
		t.Errorf("times are not UTC: %v, %v", all[0].Created, all[0].Updated)
	}
	for _, path := range []string{s.Dir, filepath.Join(s.Dir, first.ID+".json")} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("others can read %s: %v, %v", path, info.Mode(), err)
		}
	}
	for id, want := range map[string]string{first.ID: first.ID, first.ID[:10]: first.ID, "OTHER": third.ID} {
		if got, err := s.Get(id); err != nil || got.ID != want {
			t.Errorf("Get(%q): %v, %v", id, got, err)
		}
	}
	for id, kind := range map[string]errkind.Kind{"dev": errkind.Conflict, "nothing": errkind.NotFound, "": errkind.NotFound} {
		if got, err := s.Get(id); errkind.Of(err) != kind {
			t.Errorf("Get(%q): %v, %v", id, got, err)
		}
	}
	if err := s.Remove(all[0]); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(all[0]); err != nil {
		t.Error("removing twice:", err)
	}
	if left, err := s.List(); len(left) != 2 || err != nil {
		t.Errorf("after removing one of three: %v, %v", left, err)
	}
}

func jsonText() cmp.Option {
	return cmp.Transformer("compact", func(raw json.RawMessage) string {
		return strings.Join(strings.Fields(string(raw)), "")
	})
}

func TestDamagedFilesAreNamedAndLeftAlone(t *testing.T) {
	t.Parallel()
	s := change.Store{Dir: t.TempDir()}
	good := change.Make(change.New, "sub", "g", "dev", now)
	if err := s.Save(good, now); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"cut.json": `{"version":2,"id":"a","ki`, "empty.json": "", "newer.json": `{"version":99,"id":"a","kind":"new"}`, "none.json": `{}`, "list.json": `[]`,
	} {
		file := filepath.Join(s.Dir, name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		all, err := s.List()
		if len(all) != 1 || errkind.Of(err) != errkind.Invalid || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: got %d operations, %v", name, len(all), err)
		}
		if _, err := s.Find(func(*change.Operation) bool { return true }); err == nil {
			t.Errorf("%s: it might be the one that is looked for", name)
		}
		if got, err := s.Get(good.ID); err != nil || got.ID != good.ID {
			t.Errorf("%s: a good one beside it: %v, %v", name, got, err)
		}
		if data, err := os.ReadFile(file); string(data) != content || err != nil {
			t.Errorf("%s was changed to %q, %v", name, data, err)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOlderFiles reads what the first version wrote.
func TestOlderFiles(t *testing.T) {
	t.Parallel()
	s := change.Store{Dir: t.TempDir()}
	old := `{"version":1,"id":"abc","kind":"new","subscription_id":"sub","resource_group":"g","name":"dev","created":"2026-11-22T10:00:00Z","host_key":{"private":"p","public":"q"}}`
	if err := os.WriteFile(filepath.Join(s.Dir, "abc.json"), []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	op, err := s.Get("abc")
	if err != nil || !op.On("SUB", "G", "Dev") || !op.Provisional() || op.HostKey.Public != "q" {
		t.Errorf("got %+v, %v", op, err)
	}
}
