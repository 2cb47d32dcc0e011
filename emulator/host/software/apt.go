package software

import (
	"bufio"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	mirror   = "http://azure.archive.ubuntu.com/ubuntu"
	aptError = 100 // apt's exit code
)

// aptOptions is a parsed command line of apt, apt-get or apt-cache.
type aptOptions struct {
	command     string
	names       []string
	yes         bool
	quiet       int
	simulate    bool
	reinstall   bool
	lockTimeout time.Duration
	strict      bool // lists that cannot be fetched are an error
	onlyUpgrade bool // what is not installed is passed over
}

// parseApt reads the options that scripts use; others are taken to need no value, as almost all do.
func parseApt(args []string, frontend string) (aptOptions, error) {
	var o aptOptions
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "-y" || arg == "--yes" || arg == "--assume-yes" || arg == "-qqy" || arg == "-yqq" || arg == "-yq" || arg == "-qy":
			o.yes = true
			o.quiet = max(o.quiet, strings.Count(arg, "q"))
		case arg == "-q" || arg == "--quiet":
			o.quiet++
		case arg == "-qq" || arg == "-q=2":
			o.quiet, o.yes = 2, true
		case arg == "-s" || arg == "--simulate" || arg == "--dry-run" || arg == "--just-print":
			o.simulate = true
		case arg == "--reinstall":
			o.reinstall = true
		case arg == "--only-upgrade":
			o.onlyUpgrade = true
		case arg == "-o" || arg == "-c" || arg == "-t" || arg == "--option" || arg == "--target-release":
			i++
			if i == len(args) {
				return o, fmt.Errorf("Option %s requires an argument.", arg) //nolint:staticcheck // apt's words
			}
			o.set(args[i])
		case strings.HasPrefix(arg, "-o"):
			o.set(arg[2:])
		case strings.HasPrefix(arg, "--option="):
			o.set(strings.TrimPrefix(arg, "--option="))
		case strings.HasPrefix(arg, "-"):
		case o.command == "":
			o.command = arg
		default:
			o.names = append(o.names, arg)
		}
	}
	if o.command == "" {
		o.command = "help"
	}
	if frontend == "apt-cache" && o.command == "search" {
		o.command = "search"
	}
	return o, nil
}

// set takes NAME=VALUE of apt's configuration.
func (o *aptOptions) set(option string) {
	name, value, _ := strings.Cut(option, "=")
	switch strings.ToLower(name) {
	case "dpkg::lock::timeout":
		if seconds, err := time.ParseDuration(value + "s"); err == nil {
			o.lockTimeout = seconds
			if seconds < 0 { // for ever
				o.lockTimeout = time.Duration(1<<63 - 1)
			}
		}
	case "apt::update::error-mode":
		o.strict = value == "any"
	case "apt::get::assume-yes":
		o.yes = value == "true" || value == "1" || value == "yes"
	}
}

// apt is apt, apt-get and apt-cache.
func (s *System) apt(name string, args []string) int {
	o, err := parseApt(args, name)
	if err != nil {
		s.say("E: %v", err)
		return aptError
	}
	if name == "apt" {
		s.say("\nWARNING: apt does not have a stable CLI interface. Use with caution in scripts.\n")
	}
	switch o.command {
	case "help", "--help":
		s.print("apt 2.8.3 (%s), emulated", debianArch())
		return 0
	case "show", "policy", "search", "list", "madison", "depends", "download":
		return s.aptQuery(o)
	case "check", "moo":
		return 0
	}
	if !slices.Contains([]string{"update", "install", "upgrade", "dist-upgrade", "full-upgrade", "remove", "purge", "autoremove", "clean", "autoclean"}, o.command) {
		s.say("E: Invalid operation %s", o.command)
		return aptError
	}
	if o.simulate {
		return s.aptChange(o, strings.Join(append([]string{name}, args...), " "))
	}
	if o.command == "update" {
		return s.locked(o, "var/lib/apt/lists/lock", func() int { return s.aptUpdate(o) })
	}
	return s.locked(o, "var/lib/dpkg/lock-frontend", func() int {
		return s.aptChange(o, strings.Join(append([]string{name}, args...), " "))
	})
}

// locked runs with one of apt's locks held.
func (s *System) locked(o aptOptions, file string, do func() int) int {
	what := "dpkg frontend lock (/" + file + "), is another process using it?"
	directory := strings.HasSuffix(file, "lists/lock")
	if s.UID != 0 {
		if directory {
			s.say("E: Could not open lock file /%s - open (13: Permission denied)\nE: Unable to lock directory /var/lib/apt/lists/", file)
		} else {
			s.say("E: Could not open lock file /%s - open (13: Permission denied)\nE: Unable to acquire the dpkg frontend lock (/%s), are you root?", file, file)
		}
		return aptError
	}
	limit := o.lockTimeout
	if directory {
		limit = 0 // the timeout is dpkg's alone
	}
	release, holder, err := s.lock(file, limit)
	if err != nil {
		by := ""
		if holder > 0 {
			by = fmt.Sprintf(" It is held by process %d (apt-get)", holder)
		}
		s.say("E: Could not get lock /%s.%s", file, by)
		if directory {
			s.say("E: Unable to lock directory /var/lib/apt/lists/")
		} else {
			s.say("E: Unable to acquire the %s", what)
		}
		return aptError
	}
	defer release()
	return do()
}

func (s *System) aptUpdate(o aptOptions) int {
	f := s.fault("update")
	s.wait(f)
	suites := []string{"noble", "noble-updates", "noble-backports", "noble-security"}
	for i, suite := range suites {
		if f.network {
			s.print("Err:%d %s %s InRelease\n  Temporary failure resolving 'azure.archive.ubuntu.com'", i+1, mirror, suite)
		} else if o.quiet < 2 {
			s.print("Hit:%d %s %s InRelease", i+1, mirror, suite)
		}
	}
	if o.quiet < 2 {
		s.print("Reading package lists...")
	}
	switch {
	case f.network && o.strict:
		for _, suite := range suites {
			s.say("E: Failed to fetch %s/dists/%s/InRelease  Temporary failure resolving 'azure.archive.ubuntu.com'", mirror, suite)
		}
		s.say("E: Some index files failed to download. They have been ignored, or old ones used instead.")
		return aptError
	case f.network: // apt goes on with the lists it has, and is content
		for _, suite := range suites {
			s.say("W: Failed to fetch %s/dists/%s/InRelease  Temporary failure resolving 'azure.archive.ubuntu.com'", mirror, suite)
		}
		s.say("W: Some index files failed to download. They have been ignored, or old ones used instead.")
	case f.fail:
		s.say("E: The repository '%s noble Release' does not have a Release file.", mirror)
		return aptError
	}
	return 0
}

// aptChange installs, removes and upgrades.
func (s *System) aptChange(o aptOptions, commandLine string) int {
	if o.command == "clean" || o.command == "autoclean" {
		return 0
	}
	all, installed := s.available(), s.status()
	s.talk(o, "Reading package lists...\nBuilding dependency tree...\nReading state information...")
	var wanted []string
	unknown := false
	for _, name := range o.names {
		name, _, _ = strings.Cut(name, "=")
		name, _, _ = strings.Cut(name, "/")
		name, _, _ = strings.Cut(name, ":")
		if _, ok := all[name]; !ok {
			s.say("E: Unable to locate package %s", name)
			unknown = true
			continue
		}
		wanted = append(wanted, name)
	}
	if unknown {
		return aptError
	}
	switch o.command {
	case "remove", "purge":
		return s.aptRemove(o, wanted, installed)
	case "install":
		return s.aptInstall(o, all, wanted, installed, commandLine)
	}
	return s.aptUpgrade(o, all, installed, commandLine)
}

func (s *System) talk(o aptOptions, format string, args ...any) {
	if o.quiet < 2 {
		s.print(format, args...)
	}
}

// plan is what a command of apt is going to change.
type plan struct {
	all       map[string]entry
	installed map[string]string // versions
	upgrade   []string          // installed, and a newer version is there
	fresh     []string          // not installed
	asked     []string          // of fresh, those that were named
}

func (s *System) aptInstall(o aptOptions, all map[string]entry, wanted []string, installed map[string]string, commandLine string) int {
	p := plan{all: all, installed: installed}
	for _, name := range wanted {
		version, here := installed[name]
		switch {
		case here && version != all[name].version:
			p.upgrade = append(p.upgrade, name)
		case here:
			s.talk(o, "%s is already the newest version (%s).", name, version)
			if err := s.provide(all[name], false); err != nil {
				s.say("E: %v", err)
				return aptError
			}
		case o.onlyUpgrade:
			s.talk(o, "Skipping %s, it is not installed and only upgrades are requested.", name)
		default:
			p.asked = append(p.asked, name)
		}
	}
	p.fresh = closure(all, p.asked, installed)
	return s.change(o, p, commandLine)
}

// change says what apt is going to do, asks where it asks, and does it.
func (s *System) change(o aptOptions, p plan, commandLine string) int {
	var extra []string
	for _, name := range p.fresh {
		if !slices.Contains(p.asked, name) {
			extra = append(extra, name)
		}
	}
	for _, list := range []struct {
		text  string
		names []string
	}{
		{"The following additional packages will be installed:", extra},
		{"The following NEW packages will be installed:", p.fresh},
		{"The following packages will be upgraded:", p.upgrade},
	} {
		if len(list.names) > 0 {
			s.talk(o, "%s\n  %s", list.text, strings.Join(slices.Sorted(slices.Values(list.names)), " "))
		}
	}
	behind := len(outdated(p.all, p.installed)) - len(p.upgrade)
	s.talk(o, "%d upgraded, %d newly installed, 0 to remove and %d not upgraded.", len(p.upgrade), len(p.fresh), behind)
	order := slices.Concat(p.upgrade, p.fresh)
	if o.simulate {
		for _, name := range order {
			e, was := p.all[name], ""
			if version, here := p.installed[name]; here {
				was = "[" + version + "] "
			}
			s.print("Inst %s %s(%s Ubuntu:24.04/noble-updates [%s])", name, was, e.version, e.arch)
		}
		return 0
	}
	if len(order) == 0 {
		return 0
	}
	if (len(extra) > 0 || len(p.upgrade) > 0 && o.command != "install") && !o.yes {
		fmt.Fprint(s.Stdout, "Do you want to continue? [Y/n] ")
		answer, _ := bufio.NewReader(s.Stdin).ReadString('\n') // the end of input is no answer
		if answer == "" || strings.HasPrefix(strings.ToLower(answer), "n") {
			s.print("Abort.")
			return 1
		}
	}
	return s.download(o, p, order, commandLine)
}

// download fetches, unpacks and records, or does what FaultsFile says instead.
func (s *System) download(o aptOptions, p plan, order []string, commandLine string) int {
	all, begun := p.all, now()
	faults := map[string]fault{}
	var failed []string
	for i, name := range order {
		e, f := all[name], s.fault(name)
		faults[name] = f
		s.wait(f)
		where := fmt.Sprintf("%s noble-updates/%s %s %s %s %s", mirror, e.component, debianArch(), name, e.arch, e.version)
		if f.network {
			s.print("Err:%d %s\n  Temporary failure resolving 'azure.archive.ubuntu.com'", i+1, where)
			failed = append(failed, name)
			continue
		}
		s.talk(o, "Get:%d %s", i+1, where)
	}
	if len(failed) > 0 {
		for _, name := range failed {
			s.say("E: Failed to fetch %s/pool/%s/%s_%s_%s.deb  Temporary failure resolving 'azure.archive.ubuntu.com'",
				mirror, all[name].component, name, all[name].version, all[name].arch)
		}
		s.say("E: Unable to fetch some archives, maybe run apt-get update or try with --fix-missing?")
		return aptError
	}
	var done, upgraded, broken []string
	for _, name := range order {
		e := all[name]
		if faults[name].fail {
			s.say("dpkg: error processing archive /var/cache/apt/archives/%s_%s_%s.deb (--unpack):\n"+
				" new %s package pre-installation script subprocess returned error exit status 1", name, e.version, e.arch, name)
			broken = append(broken, fmt.Sprintf(" /var/cache/apt/archives/%s_%s_%s.deb", name, e.version, e.arch))
			continue
		}
		was, here := p.installed[name]
		if here {
			s.talk(o, "Unpacking %s (%s) over (%s) ...\nSetting up %s (%s) ...", name, e.version, was, name, e.version)
		} else {
			s.talk(o, "Selecting previously unselected package %s.\nUnpacking %s (%s) ...\nSetting up %s (%s) ...", name, name, e.version, name, e.version)
		}
		if err := s.unpack(e, was); err != nil {
			s.say("dpkg: error processing package %s (--configure):\n %v", name, err)
			broken = append(broken, " "+name)
			continue
		}
		if here {
			upgraded = append(upgraded, fmt.Sprintf("%s:%s (%s, %s)", name, e.arch, was, e.version))
		} else {
			done = append(done, fmt.Sprintf("%s:%s (%s)", name, e.arch, e.version))
		}
	}
	history := fmt.Sprintf("\nStart-Date: %s\nCommandline: %s\n", begun.Format(stampFormat), commandLine)
	if len(done) > 0 {
		history += "Install: " + strings.Join(done, ", ") + "\n"
	}
	if len(upgraded) > 0 {
		history += "Upgrade: " + strings.Join(upgraded, ", ") + "\n"
	}
	code := 0
	if len(broken) > 0 {
		s.say("Errors were encountered while processing:\n%s\nE: Sub-process /usr/bin/dpkg returned an error code (1)", strings.Join(broken, "\n"))
		history += "Error: Sub-process /usr/bin/dpkg returned an error code (1)\n"
		code = aptError
	}
	history += "End-Date: " + now().Format(stampFormat) + "\n"
	term := fmt.Sprintf("\nLog started: %s\n%s\nLog ended: %s\n", begun.Format(stampFormat), strings.Join(slices.Concat(done, upgraded), "\n"), now().Format(stampFormat))
	if err := errors.Join(s.appendTo("var/log/apt/history.log", history), s.appendTo("var/log/apt/term.log", term)); err != nil {
		s.say("W: %v", err)
	}
	return code
}
