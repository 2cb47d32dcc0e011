package software

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const statusFile = "var/lib/dpkg/status"

// BaseStatus is dpkg's status file of the image.
func BaseStatus() string {
	all := catalog()
	var b strings.Builder
	for _, name := range sortedNames(all) {
		if e := all[name]; e.base {
			b.WriteString(e.stanza())
		}
	}
	return b.String()
}

func sortedNames(all map[string]entry) []string {
	list := make([]string, 0, len(all))
	for name := range all {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

func (e entry) stanza() string {
	section, depends := "admin", ""
	if e.component != "main" {
		section = e.component + "/" + section
	}
	if len(e.depends) > 0 {
		depends = "Depends: " + strings.Join(e.depends, ", ") + "\n"
	}
	return fmt.Sprintf("Package: %s\nStatus: install ok installed\nPriority: optional\nSection: %s\nInstalled-Size: 1024\n"+
		"Maintainer: Ubuntu Developers <ubuntu-devel-discuss@lists.ubuntu.com>\nArchitecture: %s\nVersion: %s\n%sDescription: %s\n\n",
		e.name, section, e.arch, e.version, depends, e.about)
}

// status reads which packages are installed, with their versions.
func (s *System) status() map[string]string {
	data, err := os.ReadFile(s.path(statusFile))
	if err != nil {
		return map[string]string{}
	}
	return parseStatus(string(data))
}

func parseStatus(text string) map[string]string {
	installed := map[string]string{}
	for stanza := range strings.SplitSeq(text, "\n\n") {
		var name, version string
		var ok bool
		for line := range strings.Lines(stanza) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			switch key {
			case "Package":
				name = value
			case "Version":
				version = value
			case "Status":
				ok = strings.HasSuffix(value, " installed")
			}
		}
		if name != "" && ok {
			installed[name] = version
		}
	}
	return installed
}

func (s *System) installed(name string) bool {
	_, ok := s.status()[name]
	return ok
}

// unpack records a package and provides its programs. was is the version it takes the place of; empty: none.
func (s *System) unpack(e entry, was string) error {
	data, err := os.ReadFile(s.path(statusFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := s.write(statusFile, append(withoutStanza(data, e.name), e.stanza()...), 0o644); err != nil {
		return err
	}
	if e.group != "" {
		if err := s.addGroup(e.group); err != nil {
			return err
		}
	}
	stamp := now().Format("2006-01-02 15:04:05")
	action, before := "install", "<none>"
	if was != "" {
		action, before = "upgrade", was
	}
	log := fmt.Sprintf("%[1]s %[5]s %[2]s:%[3]s %[6]s %[4]s\n%[1]s status half-installed %[2]s:%[3]s %[4]s\n"+
		"%[1]s status unpacked %[2]s:%[3]s %[4]s\n%[1]s configure %[2]s:%[3]s %[4]s <none>\n%[1]s status installed %[2]s:%[3]s %[4]s\n",
		stamp, e.name, e.arch, e.version, action, before)
	errs := []error{s.appendTo("var/log/dpkg.log", log), s.provide(e, was != "")}
	if was != "" {
		errs = append(errs, s.noteRestart(e.name))
	}
	return errors.Join(errs...)
}

func withoutStanza(data []byte, name string) []byte {
	var kept []byte
	for stanza := range strings.SplitSeq(string(data), "\n\n") {
		if stanza != "" && !strings.HasPrefix(stanza, "Package: "+name+"\n") {
			kept = append(append(kept, strings.TrimSuffix(stanza, "\n")...), "\n\n"...)
		}
	}
	return kept
}

// provide makes a package's programs reachable: these stand-ins by a link, the host's own by leaving them
// where they are, and for the others a script that knows its version, which is written anew when the version is.
func (s *System) provide(e entry, anew bool) error {
	var errs []error
	for _, name := range e.provides {
		path := s.path(filepath.Join("usr/local/bin", name))
		if info, err := os.Lstat(path); err == nil && (!anew || !info.Mode().IsRegular()) {
			continue
		}
		if Known(name) {
			errs = append(errs, os.MkdirAll(filepath.Dir(path), 0o755), os.Symlink(s.Shim, path))
			continue
		}
		if s.hostHas(name) {
			continue
		}
		errs = append(errs, s.standIn(filepath.Join("usr/local/bin", name), name, versionLine(name, e)))
	}
	return errors.Join(errs...)
}

// hostHas reports whether the VM sees a program of the host.
func (s *System) hostHas(name string) bool {
	for _, dir := range []string{"usr/bin", "usr/sbin", "bin", "sbin"} {
		if info, err := os.Stat(s.path(filepath.Join(dir, name))); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return true
		}
	}
	return false
}

// standIn writes a program that answers --version.
func (s *System) standIn(file, name, version string) error {
	refusal := name + ": this stand-in of an emulated VM only tells its version"
	if name == "docker" {
		refusal = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
	}
	script := fmt.Sprintf("#!/bin/sh\ncase ${1-} in\n--version | version | -V | -v) echo '%s' ;;\n*)\n\techo '%s' >&2\n\texit 1\n\t;;\nesac\n", version, refusal)
	return s.write(file, []byte(script), 0o755)
}

// addGroup makes a system group, as a package's own script would.
func (s *System) addGroup(name string) error {
	data, err := os.ReadFile(s.path("etc/group"))
	if err != nil {
		return err
	}
	text := string(data)
	if strings.HasPrefix(text, name+":") || strings.Contains(text, "\n"+name+":") {
		return nil
	}
	id := 990
	for strings.Contains(text, fmt.Sprintf(":%d:", id)) {
		id--
	}
	return errors.Join(s.appendTo("etc/group", fmt.Sprintf("%s:x:%d:\n", name, id)), s.appendTo("etc/gshadow", name+":!::\n"))
}

func (s *System) write(name string, data []byte, mode os.FileMode) error {
	path := s.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	// A program that is being run must not be written to.
	fresh := path + ".dpkg-new"
	if err := os.WriteFile(fresh, data, mode); err != nil {
		return err
	}
	return errors.Join(os.Chmod(fresh, mode), os.Rename(fresh, path))
}

func (s *System) appendTo(name, text string) error {
	path := s.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
