package software

import (
	_ "embed"
	"runtime"
	"slices"
	"strings"
)

//go:embed packages.tsv
var packageTable string

//go:embed programs.tsv
var programTable string

// entry is a package of Ubuntu's archive.
type entry struct {
	name, version, arch, component string
	base                           bool   // part of the image
	group                          string // a group that its installation makes
	depends, provides              []string
	about                          string
}

// catalog reads the table. It is parsed anew by each program that needs it: a few microseconds.
func catalog() map[string]entry {
	list := map[string]entry{}
	for line := range strings.Lines(packageTable) {
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") || len(f) != 8 {
			continue
		}
		e := entry{
			name: f[0], version: f[1], arch: f[2], component: f[3], base: f[4] == "base",
			depends: strings.Fields(f[5]), provides: strings.Fields(f[6]), about: f[7],
		}
		e.group, _ = strings.CutPrefix(f[4], "group:")
		if e.base || !strings.HasPrefix(f[4], "group:") {
			e.group = ""
		}
		if e.arch == "any" {
			e.arch = debianArch()
		}
		list[e.name] = e
	}
	return list
}

func debianArch() string {
	if runtime.GOARCH == "arm" {
		return "armhf"
	}
	return runtime.GOARCH // amd64 and arm64 have the same names
}

// closure lists packages and what they need, dependencies first, without what is installed.
func closure(all map[string]entry, wanted []string, installed map[string]string) []string {
	var order []string
	var visit func(name string)
	visit = func(name string) {
		if _, ok := installed[name]; ok || slices.Contains(order, name) {
			return
		}
		for _, dep := range all[name].depends {
			visit(dep)
		}
		if !slices.Contains(order, name) {
			order = append(order, name)
		}
	}
	for _, name := range wanted {
		visit(name)
	}
	return order
}

// versionLine is what a stand-in for a program answers to --version.
func versionLine(name string, of entry) string {
	version := upstream(of.version)
	for line := range strings.Lines(programTable) {
		if program, text, ok := strings.Cut(strings.TrimRight(line, "\n"), "\t"); ok && program == name {
			if first, ok := catalog()[of.name]; ok { // the table was made with that version
				text = strings.ReplaceAll(text, upstream(first.version), version)
			}
			return strings.ReplaceAll(text, "ARCH", runtime.GOARCH)
		}
	}
	return name + " " + version
}
