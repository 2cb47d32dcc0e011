package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestArchivesAreReproducible packs the same files at two times from two directories.
func TestArchivesAreReproducible(t *testing.T) {
	from := source{version: "0.1.0", date: time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC)}
	for _, p := range platforms() {
		var packed [][]byte
		for round := range 2 {
			dir, out := t.TempDir(), t.TempDir()
			binary := filepath.Join(dir, "azlin")
			if err := os.WriteFile(binary, []byte("the program"), 0o700+os.FileMode(round)); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(binary, time.Now(), time.Now().Add(time.Duration(round)*time.Hour)); err != nil {
				t.Fatal(err)
			}
			t.Chdir("../../..") // of the README
			extras, err := documents(dir, from)
			if err != nil {
				t.Fatal(err)
			}
			name, err := archive(out, from, p, append([]entry{{"", binary, 0o755}}, extras...))
			if err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(filepath.Join(out, name))
			if err != nil {
				t.Fatal(err)
			}
			packed = append(packed, data)
			t.Chdir("cmd/azlin/release")
		}
		if !bytes.Equal(packed[0], packed[1]) {
			t.Errorf("%s: two archives of the same files differ", p)
		}
		names := list(t, p, packed[0])
		top := "azlin_0.1.0_" + p.os + "_" + p.arch + "/"
		for _, want := range []string{"azlin", "README.md", "LICENSE", "completions/_azlin", "completions/azlin.bash", "completions/azlin.fish", "man/azlin.1", "man/azlin-new.1"} {
			if !slices.Contains(names, top+want) {
				t.Errorf("%s: %s is missing in %v", p, want, names)
			}
		}
	}
}

func list(t *testing.T, p platform, data []byte) (names []string) {
	t.Helper()
	if p.os == "windows" {
		z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range z.File {
			names = append(names, f.Name)
		}
		return names
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	r := tar.NewReader(z)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
	}
}

// TestFormula wants the formula to name each archive with its checksum.
func TestFormula(t *testing.T) {
	out := t.TempDir()
	from := source{version: "0.1.0"}
	var archives []archived
	for _, p := range platforms() {
		name := "azlin_0.1.0_" + p.os + "_" + p.arch + ".tar.gz"
		if err := os.WriteFile(filepath.Join(out, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
		archives = append(archives, archived{p, name})
	}
	if err := formula(out, from, "https://example.com/releases/", archives); err != nil {
		t.Fatal(err)
	}
	if err := checksums(out); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(out, "azlin.rb"))
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(out, "checksums.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range archives {
		if a.platform.os == "windows" {
			continue
		}
		if !strings.Contains(string(text), `url "https://example.com/releases/v0.1.0/`+a.name+`"`) {
			t.Errorf("the formula lacks %s:\n%s", a.name, text)
		}
		sum, err := sha256Of(filepath.Join(out, a.name))
		if err != nil || !strings.Contains(string(text), sum) || !strings.Contains(string(sums), sum+"  "+a.name+"\n") {
			t.Errorf("%s: its checksum %s is missing, %v", a.name, sum, err)
		}
	}
}
