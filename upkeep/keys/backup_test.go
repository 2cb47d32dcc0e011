package keys_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/upkeep/keys"
)

func TestBackups(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := keys.Backups{Dir: filepath.Join(dir, "keys")}
	pairs := map[string]keypair.KeyPair{}
	for _, name := range []string{"azlin_key", "second", "third"} {
		pair, err := keypair.GenerateKeyPair(filepath.Join(dir, "ssh"), name)
		if err != nil {
			t.Fatal(err)
		}
		pairs[name] = pair
	}
	if all, err := b.List(); len(all) != 0 || err != nil {
		t.Errorf("without a directory: %v, %v", all, err)
	}
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.FixedZone("west", -7*3600))
	first, err := b.Make(t.Context(), pairs["azlin_key"].Private, now)
	if err != nil || first.Name() != "backup-20261123T170000.000Z" || !strings.HasPrefix(first.Fingerprint, "SHA256:") || first.Time.Location() != time.UTC {
		t.Fatalf("%+v, %v", first, err)
	}
	if again, err := b.Make(t.Context(), pairs["azlin_key"].Public, now.Add(time.Hour)); err != nil || again.Path != first.Path {
		t.Errorf("a second copy: %+v, %v", again, err)
	}
	for n, name := range []string{"second", "third"} {
		if _, err := b.Make(t.Context(), pairs[name].Private, now.Add(time.Duration(n+1)*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	err = filepath.WalkDir(b.Dir, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if want := map[bool]os.FileMode{true: 0o700, false: 0o600}[e.IsDir()]; info.Mode().Perm() != want {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	all, err := b.List()
	if err != nil || len(all) != 3 || all[2].Path != first.Path {
		t.Fatalf("%v, %v", all, err)
	}
	// Of the default key itself there is nothing to offer besides.
	if paths := b.Earlier(pairs["third"].Private); len(paths) != 2 || paths[1].Path != first.Path {
		t.Errorf("earlier than the third: %v", paths)
	}
	if paths := b.Earlier(filepath.Join(dir, "none")); len(paths) != 3 || paths[0].Path != all[0].Path {
		t.Errorf("without a default key: %v", paths)
	}
	for name, want := range map[string]string{"": all[1].Path, first.Name(): first.Path, first.Fingerprint: first.Path, "20261123T1700": first.Path} {
		if got, err := b.Find(name, all[0].Fingerprint); err != nil || got.Path != want {
			t.Errorf("%q: %+v, %v", name, got, err)
		}
	}
	for name, want := range map[string]errkind.Kind{"nosuch": errkind.NotFound, "2026": errkind.Conflict} {
		if _, err := b.Find(name, ""); errkind.Of(err) != want {
			t.Errorf("%q: %v", name, err)
		}
	}

	// A damaged copy is named, and the others are still there.
	if err := os.WriteFile(all[1].Path, []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	if left, err := b.List(); len(left) != 2 || err == nil || !strings.Contains(err.Error(), all[1].Name()) {
		t.Errorf("%v, %v", left, err)
	}
	// What cannot be kept is not replaced.
	target := pairs["second"].Private
	if err := os.WriteFile(target, []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Restore(t.Context(), first, target, now); err == nil {
		t.Error("a key that cannot be read was replaced")
	}
	// Through a link, and where there was no key.
	link := filepath.Join(dir, "link")
	if err := os.Symlink(pairs["third"].Private, link); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Restore(t.Context(), first, link, now.Add(time.Hour)); err == nil || !strings.Contains(err.Error(), all[1].Name()) {
		t.Errorf("the damaged copy is not told: %v", err)
	}
	if err := os.RemoveAll(filepath.Dir(all[1].Path)); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Restore(t.Context(), first, link, now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v, %v", info, err)
	}
	if k, err := keys.Public(pairs["third"].Private); err != nil || k.Fingerprint != first.Fingerprint {
		t.Errorf("%+v, %v", k, err)
	}
	fresh := filepath.Join(dir, "new", "azlin_key")
	if before, err := b.Restore(t.Context(), all[0], fresh, now); err != nil || before.Path != "" {
		t.Errorf("%+v, %v", before, err)
	}
	if info, err := os.Stat(fresh); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}
