package software

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// aptRemove forgets packages and takes their scripts away.
func (s *System) aptRemove(o aptOptions, wanted []string, installed map[string]string) int {
	all := s.available()
	var gone []string
	for _, name := range wanted {
		if _, ok := installed[name]; !ok {
			s.talk(o, "Package '%s' is not installed, so not removed", name)
			continue
		}
		gone = append(gone, name)
	}
	s.talk(o, "0 upgraded, 0 newly installed, %d to remove and 0 not upgraded.", len(gone))
	if o.simulate {
		return 0
	}
	for _, name := range gone {
		data, err := os.ReadFile(s.path(statusFile))
		if err == nil {
			err = s.write(statusFile, withoutStanza(data, name), 0o644)
		}
		if err != nil {
			s.say("E: %v", err)
			return aptError
		}
		s.talk(o, "Removing %s (%s) ...", name, all[name].version)
		for _, program := range all[name].provides {
			if p, ok := programs()[program]; !ok || !p.inImage {
				_ = os.Remove(s.path(filepath.Join("usr/local/bin", program))) // it may never have been ours
			}
		}
	}
	return 0
}

// aptQuery is what only looks.
func (s *System) aptQuery(o aptOptions) int {
	all, installed := s.available(), s.status()
	switch o.command {
	case "list":
		s.print("Listing...")
		for _, name := range sortedNames(all) {
			e := all[name]
			have, here := installed[name]
			if len(o.names) > 0 && !slices.Contains(o.names, name) {
				continue
			}
			mark := ""
			switch {
			case here && have != e.version:
				mark = " [upgradable from: " + have + "]"
			case here:
				mark = " [installed]"
			}
			s.print("%s/noble-updates %s %s%s", name, e.version, e.arch, mark)
		}
		return 0
	case "search":
		for _, name := range sortedNames(all) {
			text := name + " - " + all[name].about
			if !slices.ContainsFunc(o.names, func(w string) bool { return !strings.Contains(text, w) }) {
				s.print("%s", text)
			}
		}
		return 0
	}
	code := 0
	for _, name := range o.names {
		e, ok := all[name]
		if !ok {
			if o.command != "policy" {
				s.say("N: Unable to locate package %s\nE: No packages found", name)
				code = aptError
			}
			continue
		}
		switch o.command {
		case "policy":
			have := "(none)"
			if v, ok := installed[name]; ok {
				have = v
			}
			s.print("%s:\n  Installed: %s\n  Candidate: %s\n  Version table:\n     %s 500\n        500 %s noble-updates/%s %s Packages",
				name, have, e.version, e.version, mirror, e.component, debianArch())
		default:
			fmt.Fprint(s.Stdout, strings.Replace(e.stanza(), "Status: install ok installed\n", "", 1))
		}
	}
	return code
}
