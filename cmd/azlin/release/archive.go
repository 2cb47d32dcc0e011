package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/azlin-dev/azlin/cmd/azlin/cli"
)

// entry is a file of a release: where it goes in an archive, and where it is now.
type entry struct {
	dir  string // slash-separated; empty: the top
	file string
	mode fs.FileMode
}

// archived is the archive of a platform.
type archived struct {
	platform platform
	name     string
}

// documents writes completions and manual pages below work, and lists them with the README, the changelog and the license.
func documents(work string, from source) ([]entry, error) {
	all := []entry{{"", "README.md", 0o644}, {"", "CHANGELOG.md", 0o644}, {"", "LICENSE", 0o644}}
	completions, man := filepath.Join(work, "completions"), filepath.Join(work, "man")
	for _, dir := range []string{completions, man} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	root := cli.Root()
	for name, write := range map[string]func(string) error{
		"azlin.bash": func(f string) error { return root.GenBashCompletionFileV2(f, true) },
		"_azlin":     root.GenZshCompletionFile,
		"azlin.fish": func(f string) error { return root.GenFishCompletionFile(f, true) },
		"azlin.ps1":  root.GenPowerShellCompletionFileWithDesc,
	} {
		if err := write(filepath.Join(completions, name)); err != nil {
			return nil, err
		}
	}
	withoutTag(root)
	header := &doc.GenManHeader{Title: "AZLIN", Section: "1", Date: &from.date, Source: "azlin " + from.version, Manual: "azlin"}
	if err := doc.GenManTree(root, header, man); err != nil {
		return nil, err
	}
	for _, dir := range []string{completions, man} {
		files, err := os.ReadDir(dir) // sorted by name
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			all = append(all, entry{filepath.Base(dir), filepath.Join(dir, f.Name()), 0o644})
		}
	}
	return all, nil
}

func withoutTag(c *cobra.Command) {
	c.DisableAutoGenTag = true
	for _, sub := range c.Commands() {
		withoutTag(sub)
	}
}

// archive packs the entries: a zip file for Windows, a compressed tar file for others.
func archive(out string, from source, p platform, entries []entry) (name string, err error) {
	top := fmt.Sprintf("azlin_%s_%s_%s", from.version, p.os, p.arch)
	pack := pack(writeTar)
	if name = top + ".tar.gz"; p.os == "windows" {
		name, pack = top+".zip", writeZip
	}
	f, err := os.Create(filepath.Join(out, name))
	if err != nil {
		return "", err
	}
	return name, errors.Join(pack(f, top, from.date, entries), f.Close())
}

type pack func(w io.Writer, top string, date time.Time, entries []entry) error

func writeTar(w io.Writer, top string, date time.Time, entries []entry) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	for _, e := range entries {
		data, err := os.ReadFile(e.file)
		if err != nil {
			return err
		}
		// Owner, group and time are the same on every machine.
		h := &tar.Header{Name: e.in(top), Mode: int64(e.mode), Size: int64(len(data)), ModTime: date, Format: tar.FormatPAX}
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		if _, err := t.Write(data); err != nil {
			return err
		}
	}
	return errors.Join(t.Close(), z.Close())
}

func writeZip(w io.Writer, top string, date time.Time, entries []entry) error {
	z := zip.NewWriter(w)
	for _, e := range entries {
		data, err := os.ReadFile(e.file)
		if err != nil {
			return err
		}
		h := &zip.FileHeader{Name: e.in(top), Method: zip.Deflate, Modified: date}
		h.SetMode(e.mode)
		f, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := f.Write(data); err != nil {
			return err
		}
	}
	return z.Close()
}

func (e entry) in(top string) string { return path.Join(top, e.dir, filepath.Base(e.file)) }
