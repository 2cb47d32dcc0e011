package software

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// pypi are the packages of PyPI that pipx knows: the program each brings, and what that says of its version.
func pypi() map[string][2]string {
	return map[string][2]string{
		"azure-cli": {"az", "2.66.0"}, "uv": {"uv", "0.9.10"}, "black": {"black", "25.9.0"},
		"ruff": {"ruff", "0.14.2"}, "httpie": {"http", "3.2.4"}, "poetry": {"poetry", "2.2.1"},
	}
}

const noConnection = "WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after connection broken by " +
	"'NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object>: Failed to establish a new connection: [Errno 101] Network is unreachable')'"

// pipx installs a few packages of PyPI.
func (s *System) pipx(_ string, args []string) int {
	given := words(args)
	switch {
	case slices.Contains(args, "--version"):
		s.print("1.4.3")
		return 0
	case len(given) == 0:
		s.say("usage: pipx [-h] [--version] {install,list,environment} ...")
		return 2
	case given[0] == "list":
		s.print("venvs are in %s", s.env("PIPX_HOME", "~/.local/share/pipx"))
		return 0
	case given[0] == "upgrade" && len(given) > 1:
		return s.pipxUpgrade(given[1:])
	case given[0] != "install" || len(given) < 2:
		return s.offline("pipx", args)
	}
	home := s.env("PIPX_HOME", filepath.Join(s.env("HOME", "/root"), ".local/share/pipx"))
	bin := s.env("PIPX_BIN_DIR", filepath.Join(s.env("HOME", "/root"), ".local/bin"))
	for _, name := range given[1:] {
		spec, _, _ := strings.Cut(name, "==")
		app, ok := pypi()[spec]
		f := s.fault(spec)
		s.wait(f)
		if f.network {
			s.say("%s", noConnection)
		}
		if f.network || f.fail || !ok {
			s.say("ERROR: Could not find a version that satisfies the requirement %s (from versions: none)\nERROR: No matching distribution found for %s", name, name)
			s.say("Fatal error from pip prevented installation.")
			return 1
		}
		venv := filepath.Join(home, "venvs", spec)
		if _, err := os.Stat(s.path(venv)); err == nil && !slices.Contains(args, "--force") {
			s.print("'%s' already seems to be installed. Not modifying existing installation in '%s'. Pass '--force' to force installation.", spec, venv)
			continue
		}
		version := s.pypiVersion(spec)
		target := filepath.Join(venv, "bin", app[0])
		link := s.path(filepath.Join(bin, app[0]))
		err := errors.Join(s.standIn(target, app[0], pypiLine(app[0], version)), os.MkdirAll(filepath.Dir(link), 0o755))
		if old, lerr := os.Readlink(link); err == nil && (lerr != nil || old != target) {
			err = os.Symlink(target, link)
		}
		if err != nil {
			s.say("%v", err)
			return 1
		}
		s.print("  installed package %s %s, installed using Python 3.12.3\n  These apps are now globally available\n    - %s\ndone!", spec, version, app[0])
	}
	return 0
}

// pypiVersion is the newest version of a package that is there.
func (s *System) pypiVersion(name string) string {
	if newer, ok := s.newer()[name]; ok {
		return newer
	}
	return pypi()[name][1]
}

func pypiLine(program, version string) string {
	if program == "az" {
		return "azure-cli                         " + version
	}
	return program + " " + version
}

// pipxUpgrade brings packages that pipx has installed to the newest version.
func (s *System) pipxUpgrade(names []string) int {
	home := s.env("PIPX_HOME", filepath.Join(s.env("HOME", "/root"), ".local/share/pipx"))
	for _, name := range names {
		venv, app := filepath.Join(home, "venvs", name), pypi()[name]
		program, err := os.ReadFile(s.path(filepath.Join(venv, "bin", app[0])))
		if app[0] == "" || err != nil {
			s.say("Package is not installed. Expected to find %s, but it does not exist.", venv)
			return 1
		}
		f := s.fault(name)
		s.wait(f)
		if f.network || f.fail {
			s.say("%s\nFatal error from pip prevented installation.", noConnection)
			return 1
		}
		before, version := app[1], s.pypiVersion(name)
		if _, after, ok := strings.Cut(string(program), "echo '"); ok {
			line, _, _ := strings.Cut(after, "'")
			if words := strings.Fields(line); len(words) > 1 {
				before = words[1]
			}
		}
		if before == version {
			s.print("%s is already at latest version %s (location: %s)", name, version, venv)
			continue
		}
		if err := s.standIn(filepath.Join(venv, "bin", app[0]), app[0], pypiLine(app[0], version)); err != nil {
			s.say("%v", err)
			return 1
		}
		s.print("upgraded package %s from %s to %s (location: %s)", name, before, version, venv)
	}
	return 0
}

// pip fetches nothing; what it can do without, the host's own does.
func (s *System) pip(name string, args []string) int {
	given := words(args)
	if len(given) == 0 || !slices.Contains([]string{"install", "download", "index", "search", "wheel"}, given[0]) || slices.Contains(args, "--no-index") {
		if slices.Contains(args, "--version") || slices.Contains(args, "-V") {
			s.print("pip 24.0 from /usr/lib/python3/dist-packages/pip (python 3.12)")
			return 0
		}
		return s.hostOwn(name, args)
	}
	s.say("%s", noConnection)
	for _, what := range given[1:] {
		s.say("ERROR: Could not find a version that satisfies the requirement %s (from versions: none)\nERROR: No matching distribution found for %s", what, what)
	}
	return 1
}

// npm is as pip.
func (s *System) npm(name string, args []string) int {
	given := words(args)
	if slices.Contains(args, "--version") || slices.Contains(args, "-v") {
		s.print("9.2.0")
		return 0
	}
	if name == "npm" && (len(given) == 0 || !slices.Contains([]string{"install", "i", "add", "ci", "update", "view", "info", "search", "exec", "audit", "outdated", "publish", "login"}, given[0])) {
		return s.hostOwn(name, args)
	}
	s.say("npm ERR! code ENETUNREACH\nnpm ERR! network request to https://registry.npmjs.org/ failed, reason: connect ENETUNREACH (an emulated VM reaches loopback only)")
	return 1
}

const (
	rustVersion = "1.91.1"
	rustup      = "rustup 1.26.0 (2024-04-01)"
)

// rustup knows one toolchain, stable.
func (s *System) rustup(_ string, args []string) int {
	given := words(args)
	settings := filepath.Join(s.env("HOME", "/root"), ".rustup/settings.toml")
	switch {
	case slices.Contains(args, "--version"):
		s.print("%s", rustup)
		return 0
	case len(given) == 2 && (given[0] == "default" || given[0] == "update") && given[1] == "stable",
		len(given) == 3 && given[0] == "toolchain" && given[1] == "install" && given[2] == "stable":
		f := s.fault("rust-stable")
		s.wait(f)
		if f.network || f.fail {
			s.say("info: syncing channel updates for 'stable-x86_64-unknown-linux-gnu'\nerror: could not download file from " +
				"'https://static.rust-lang.org/dist/channel-rust-stable.toml.sha256': error trying to connect: dns error: failed to lookup address information: Temporary failure in name resolution")
			return 1
		}
		version := cmp.Or(s.newer()["rust-stable"], rustVersion)
		s.say("info: syncing channel updates for 'stable'\ninfo: latest update on 2025-11-10, rust version %s\ninfo: default toolchain set to 'stable'", version)
		err := errors.Join(
			s.write(settings, []byte("default_toolchain = \"stable\"\nprofile = \"default\"\nversion = \"12\"\n"), 0o644),
			s.write(s.rustStable(), []byte(version), 0o644))
		if err != nil {
			s.say("error: %v", err)
			return 1
		}
		return 0
	case len(given) > 0 && (given[0] == "show" || given[0] == "default"):
		if _, err := os.Stat(s.path(settings)); err != nil {
			s.say("error: no default toolchain configured")
			return 1
		}
		s.print("stable (default)")
		return 0
	}
	return s.offline("rustup", args)
}

// rustStable is where the version of the toolchain is kept.
func (s *System) rustStable() string {
	return filepath.Join(s.env("HOME", "/root"), ".rustup/toolchains/stable/version")
}

// rust is rustc and cargo, which rustup stands in front of.
func (s *System) rust(name string, args []string) int {
	if _, err := os.Stat(s.path(filepath.Join(s.env("HOME", "/root"), ".rustup/settings.toml"))); err != nil {
		s.say("error: rustup could not choose a version of %s to run, because one wasn't specified explicitly, and no default is configured.\n"+
			"help: run 'rustup default stable' to download the latest stable release of Rust and set it as your default toolchain.", name)
		return 1
	}
	if slices.Contains(args, "--version") || slices.Contains(args, "-V") {
		version := rustVersion
		if data, err := os.ReadFile(s.path(s.rustStable())); err == nil {
			version = string(data)
		}
		s.print("%s %s (ed61e7d7e 2025-11-07)", name, version)
		return 0
	}
	return s.hostOwn(name, args)
}

// snap has no store.
func (s *System) snap(_ string, args []string) int {
	given := words(args)
	switch {
	case slices.Contains(args, "--version") || len(given) > 0 && given[0] == "version":
		s.print("snap    2.71+ubuntu24.04\nsnapd   2.71+ubuntu24.04\nseries  16\nubuntu  24.04")
		return 0
	case len(given) > 0 && given[0] == "list":
		s.say("No snaps are installed yet. Try 'snap install hello-world'.")
		return 0
	}
	s.say("error: unable to contact snap store: Network is unreachable (an emulated VM reaches loopback only)")
	return 1
}
