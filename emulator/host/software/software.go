// Package software is where programs come from in an emulated VM. VMs share the network of the host, so what
// fetches from outside would leave loopback; in place of those programs stand the ones of this package. apt
// installs the packages of a table of Ubuntu 24.04's (packages.tsv) and pipx, pip, npm and rustup a few
// names; curl and wget reach loopback and nothing else. What a package brings is the host's own program
// where the host has it, else a small script that answers --version.
//
// What shall go wrong is said by root inside the VM (or by write_files of its cloud-init) in FaultsFile: one
// line for each package or name,
//
//	NAME fail              its installation fails
//	NAME network [N]       it cannot be fetched; with N, only the first N times
//	NAME slow DURATION     its installation takes that long, with apt's lock held
//	NAME hold FILE         its installation goes on when FILE is gone, as NAME slow
//	NAME newer VERSION     there is a newer version of it by now
//
// where NAME may also be "update" for apt's lists and "rust-stable" for rustup's toolchain. Programs that
// are not stood in for, such as git or Python's own libraries, still reach what the host reaches. The stand-ins are
// the programs that PATH finds; by its full path the host's own is still there, but apt without its lists and
// sources, which are not.
package software

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// FaultsFile says what shall go wrong.
const FaultsFile = "/etc/azlin-emulator/faults"

// System is the VM's file system and the streams of one program.
type System struct {
	Root   string // "" inside a VM; a directory in tests
	Shim   string // the program that runs these stand-ins by the name it is called by
	UID    int
	Env    []string
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer

	// Exec replaces this process by the host's own program. It returns only when it fails.
	Exec func(path string, argv []string) error
}

// program is one stand-in.
type program struct {
	run      func(*System, string, []string) int
	inImage  bool   // Ubuntu's image has it; else it is there once its package is
	provider string // that package
}

func programs() map[string]program {
	return map[string]program{
		"apt":                {run: (*System).apt, inImage: true},
		"apt-get":            {run: (*System).apt, inImage: true},
		"apt-cache":          {run: (*System).apt, inImage: true},
		"add-apt-repository": {run: (*System).offline, inImage: true},
		"curl":               {run: (*System).fetch, inImage: true},
		"wget":               {run: (*System).fetch, inImage: true},
		"snap":               {run: (*System).snap, inImage: true},
		"pip":                {run: (*System).pip, provider: "python3-pip"},
		"pip3":               {run: (*System).pip, provider: "python3-pip"},
		"pipx":               {run: (*System).pipx, provider: "pipx"},
		"npm":                {run: (*System).npm, provider: "npm"},
		"npx":                {run: (*System).npm, provider: "npm"},
		"rustup":             {run: (*System).rustup, provider: "rustup"},
		"rustc":              {run: (*System).rust, provider: "rustup"},
		"cargo":              {run: (*System).rust, provider: "rustup"},
	}
}

// InImage lists the stand-ins that are there from the beginning.
func InImage() []string { return names(func(p program) bool { return p.inImage }) }

// Guarded lists those that come with a package, and must cover the host's own until then.
func Guarded() []string { return names(func(p program) bool { return !p.inImage }) }

func names(wanted func(program) bool) []string {
	var list []string
	for name, p := range programs() {
		if wanted(p) {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// Known reports whether Run knows a program.
func Known(name string) bool {
	_, ok := programs()[name]
	return ok
}

// Run is the program of this name. It returns its exit code.
func (s *System) Run(name string, args []string) int {
	p, ok := programs()[name]
	if !ok {
		s.say("%s: no such stand-in", name)
		return 127
	}
	if p.provider != "" && !s.installed(p.provider) {
		s.say("Command '%s' not found, but can be installed with:\nsudo apt install %s", name, p.provider)
		return 127
	}
	return p.run(s, name, args)
}

func (s *System) path(name string) string { return filepath.Join("/", s.Root, name) }

// say writes a line to standard error.
func (s *System) say(format string, args ...any) { fmt.Fprintf(s.Stderr, format+"\n", args...) }

// print writes a line to standard output.
func (s *System) print(format string, args ...any) { fmt.Fprintf(s.Stdout, format+"\n", args...) }

func (s *System) env(name, otherwise string) string {
	for _, v := range s.Env {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return cmp.Or(value, otherwise)
		}
	}
	return otherwise
}

// words are the arguments that are no options, and those after "--".
func words(args []string) []string {
	var list []string
	for i, a := range args {
		if a == "--" {
			return append(list, args[i+1:]...)
		}
		if !strings.HasPrefix(a, "-") {
			list = append(list, a)
		}
	}
	return list
}

// hostOwn goes on as the host's own program.
func (s *System) hostOwn(name string, args []string) int {
	path := s.path("usr/bin/" + name)
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		s.say("%s: %v", name, s.Exec(path, append([]string{name}, args...)))
		return 126
	}
	s.say("Command '%s' not found", name)
	return 127
}

// offline is a program all of whose work is elsewhere.
func (s *System) offline(name string, _ []string) int {
	s.say("%s: Network is unreachable (an emulated VM reaches loopback only)", name)
	return 1
}

const stampFormat = "2006-01-02  15:04:05"

func now() time.Time { return time.Now().UTC() }
