package change_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/damage"
)

var damageSeed = flag.Uint64("damage-seed", 1, "seed of the damage in TestDamagedFiles")

// TestDamagedFiles spoils one file of two operations at a time, 2,000 times: both are found, with what they hold. When
// the copy is gone, too, the file is named, and the other operation is found.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	s := change.Store{Dir: t.TempDir()}
	var files, whole []string
	for _, name := range []string{"dev", "web"} {
		op := change.Make(change.New, "sub", "g", name, now)
		op.HostKey = &change.HostKey{Private: "secret of " + name, Public: "ssh-ed25519 AAAA"}
		op.Stage = "vm"
		if err := s.Save(op, now.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{filepath.Join(s.Dir, op.ID+".json"), filepath.Join(s.Dir, "."+op.ID+".json.copy")} {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			files, whole = append(files, file), append(whole, string(data))
		}
	}
	write := func(file, content string) {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	random := rand.New(rand.NewPCG(*damageSeed, 0))
	for i := range 2000 {
		n := i % len(files)
		spoilt, how := damage.Spoil(random, []byte(whole[n]), i/len(files))
		how = fmt.Sprintf("-damage-seed %d: %s %s", *damageSeed, filepath.Base(files[n]), how)
		write(files[n], string(spoilt))
		all, err := s.List()
		if err != nil || len(all) != 2 {
			t.Fatalf("%s: %d operations, %v", how, len(all), err)
		}
		for _, op := range all {
			if op.HostKey == nil || op.HostKey.Private != "secret of "+op.Name || op.Stage != "vm" {
				t.Fatalf("%s: %+v", how, op)
			}
		}
		if main := n - n%2; n == main && string(spoilt) != whole[n] {
			write(files[n+1], string(spoilt))
			all, err := s.List()
			if len(all) != 1 || errkind.Of(err) != errkind.Invalid || !strings.Contains(err.Error(), files[n]) {
				t.Fatalf("%s, and its copy: %d operations, %v", how, len(all), err)
			}
			write(files[n+1], whole[n+1])
		}
		write(files[n], whole[n])
	}
}

// TestVersions reads what an older azlin wrote, and says which file is a newer one's.
func TestVersions(t *testing.T) {
	t.Parallel()
	s := change.Store{Dir: t.TempDir()}
	for name, content := range map[string]string{
		"old.json": `{"version":1,"id":"old","kind":"new","name":"dev"}`,
		"new.json": `{"version":77,"id":"new","kind":"new","name":"dev","what":{"nobody":"knows"}}`,
	} {
		if err := os.WriteFile(filepath.Join(s.Dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.List()
	if len(all) != 1 || all[0].ID != "old" {
		t.Errorf("read: %v", all)
	}
	if err == nil || !strings.Contains(err.Error(), "new.json was written by a newer azlin (version 77") {
		t.Errorf("the newer one: %v", err)
	}
}
