package software

import (
	"os"
	"slices"
	"strings"
)

// available is the catalog as the archive has it now: with the newer versions of FaultsFile.
func (s *System) available() map[string]entry {
	all := catalog()
	for name, version := range s.newer() {
		if e, ok := all[name]; ok {
			e.version = version
			all[name] = e
		}
	}
	return all
}

// newer reads which names have a newer version than the image was made with.
func (s *System) newer() map[string]string {
	data, err := os.ReadFile(s.path(FaultsFile))
	if err != nil {
		return nil
	}
	versions := map[string]string{}
	for line := range strings.Lines(string(data)) {
		if words := strings.Fields(line); len(words) == 3 && words[1] == "newer" {
			versions[words[0]] = words[2]
		}
	}
	return versions
}

// outdated lists, sorted, the installed packages of which the archive has another version. Versions in the archive do
// not go back.
func outdated(all map[string]entry, installed map[string]string) []string {
	var names []string
	for name, version := range installed {
		if e, ok := all[name]; ok && e.version != version {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// aptUpgrade installs the newer versions of everything that is installed.
func (s *System) aptUpgrade(o aptOptions, all map[string]entry, installed map[string]string, commandLine string) int {
	names := outdated(all, installed)
	s.talk(o, "Calculating upgrade...")
	return s.change(o, plan{all: all, installed: installed, upgrade: names}, commandLine)
}

// upstream is a package's version without what Debian adds.
func upstream(version string) string {
	if _, after, ok := strings.Cut(version, ":"); ok {
		version = after
	}
	version, _, _ = strings.Cut(version, "-")
	return version
}

// noteRestart says that the machine must be restarted, as the packages of kernels and of the C library do.
func (s *System) noteRestart(name string) error {
	if name != "libc6" && !strings.HasPrefix(name, "linux-image") {
		return nil
	}
	if err := s.write("run/reboot-required", []byte("*** System restart required ***\n"), 0o644); err != nil {
		return err
	}
	return s.appendTo("run/reboot-required.pkgs", name+"\n")
}
