package azlin_test

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The house holds few subjects, and each of them fits into a head: see docs/layout.md.
const (
	linesOfPackage = 2500
	linesOfFile    = 400
)

// TestPackagesAndFilesAreSmall counts the lines of each package and of each file, without tests.
func TestPackagesAndFilesAreSmall(t *testing.T) {
	t.Parallel()
	all, _ := packages(t)
	for dir, p := range all {
		total := 0
		for path := range p.files {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			n := bytes.Count(data, []byte("\n"))
			total += n
			if n > linesOfFile {
				t.Errorf("%s has %d lines, more than %d: it holds more than one idea", path, n, linesOfFile)
			}
		}
		if total > linesOfPackage {
			t.Errorf("package %s has %d lines, more than %d: it holds more than one subject", dir, total, linesOfPackage)
		}
	}
}

// subject is the folder at the root that a package is in. The root itself, and what stands on top of it, is none.
func subject(dir string) string {
	first, _, _ := strings.Cut(dir, "/")
	switch first {
	case ".", "cmd", "emulator", "test", "internal", "errkind":
		return ""
	}
	return first
}

// TestSubjectsHaveNoCircle follows the arrows between the folders at the root: package a may import package b of another
// subject only if no package of that subject leads back.
func TestSubjectsHaveNoCircle(t *testing.T) {
	t.Parallel()
	all, _ := packages(t)
	arrows := map[string]map[string]string{} // from → to → an import that makes the arrow
	for dir, p := range all {
		from := subject(dir)
		if from == "" {
			continue
		}
		for path, f := range p.files {
			for _, imp := range ownImports(f) {
				if to := subject(imp); to != "" && to != from {
					if arrows[from] == nil {
						arrows[from] = map[string]string{}
					}
					arrows[from][to] = path + " imports " + imp
				}
			}
		}
	}
	var done []string
	var follow func(at string, way []string)
	follow = func(at string, way []string) {
		if i := slices.Index(way, at); i >= 0 {
			circle := append(slices.Clone(way[i:]), at)
			var why []string
			for n := range len(circle) - 1 {
				why = append(why, arrows[circle[n]][circle[n+1]])
			}
			t.Errorf("circle between subjects: %s\n\t%s", strings.Join(circle, " → "), strings.Join(why, "\n\t"))
			return
		}
		if slices.Contains(done, at) {
			return
		}
		for _, to := range slices.Sorted(maps.Keys(arrows[at])) {
			follow(to, append(slices.Clone(way), at))
		}
		done = append(done, at)
	}
	for _, from := range slices.Sorted(maps.Keys(arrows)) {
		follow(from, nil)
	}
}

// TestPackageNamesSayWhatTheyHold forbids the names of rooms for everything.
func TestPackageNamesSayWhatTheyHold(t *testing.T) {
	t.Parallel()
	all, _ := packages(t)
	for dir := range all {
		for part := range strings.SplitSeq(dir, "/") {
			switch part {
			case "util", "utils", "helper", "helpers", "common", "shared", "misc", "types", "pkg":
				t.Errorf("package %s is named for what is in it, not for what it is about", dir)
			}
		}
	}
}

// TestNoWaitIsASleep: in tests time.Sleep is for virtual time, where it costs nothing. Whoever waits for something real asks for
// it until it is there, with wait.Until.
func TestNoWaitIsASleep(t *testing.T) {
	t.Parallel()
	virtual := func(text string) bool {
		return strings.Contains(text, "synctest.") || strings.Contains(text, "bubble(")
	}
	all, _ := packages(t)
	for dir, p := range all {
		if dir == "test/bench" {
			continue // it measures
		}
		for path := range p.tests {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if text := string(data); strings.Contains(text, "time."+"Sleep(") && !virtual(text) && path != "upkeep/cleanup/lab_test.go" { // its tests are all virtual
				t.Errorf("%s sleeps in real time", path)
			}
		}
	}
	scripts, err := filepath.Glob("cmd/azlin/cli/testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range scripts {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), "\nexec sleep ") {
			t.Errorf("%s sleeps: see the commands struck, appears and eventually", path)
		}
	}
}
