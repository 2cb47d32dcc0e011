package host

import (
	"os"
	"path/filepath"
	"testing"
)

// TestTemplateInCommon: emulators beside each other have one template, which stays while any of them uses it.
func TestTemplateInCommon(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	open := func(name string) *files {
		f := &files{asked: filepath.Join(home, "asked", name), base: filepath.Join(home, name), mode: Namespaces, uid: os.Geteuid(), gid: os.Getegid()}
		if err := os.MkdirAll(f.base, 0o700); err != nil {
			t.Fatal(err)
		}
		return f
	}
	first, second := open("first"), open("second")
	dir, err := first.openTemplate(Namespaces)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := second.openTemplate(Namespaces); err != nil || again != dir {
		t.Errorf("%s and %s, %v", dir, again, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		t.Errorf("%v, %v", entries, err)
	}
	there := func() bool {
		t.Helper()
		if err := removeTemplates(home); err != nil {
			t.Fatal(err)
		}
		_, err := os.Stat(dir)
		return err == nil
	}
	for _, f := range []*files{first, second} {
		if !there() {
			t.Error("a template that is used was deleted")
		}
		if err := f.clean(); err != nil {
			t.Error(err)
		}
	}
	if there() {
		t.Error("a template that nobody uses stays")
	}
	// One that was cut off while it was made is made again.
	if err := os.MkdirAll(filepath.Join(home, templateMaking, "etc", "half"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := open("third").openTemplate(Namespaces); err != nil {
		t.Error(err)
	}
}
