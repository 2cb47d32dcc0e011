package software

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// fault is what shall go wrong with one name.
type fault struct {
	fail    bool
	network bool
	slow    time.Duration
	hold    string // a file
}

// wait takes the time that the installation of the name takes.
func (s *System) wait(f fault) {
	time.Sleep(f.slow)
	for f.hold != "" {
		if _, err := os.Stat(s.path(f.hold)); err != nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// fault looks a name up in FaultsFile, and counts how often it has been wrong already.
func (s *System) fault(name string) fault {
	var f fault
	data, err := os.ReadFile(s.path(FaultsFile))
	if err != nil {
		return f
	}
	for line := range strings.Lines(string(data)) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] != name {
			continue
		}
		switch words[1] {
		case "fail":
			f.fail = true
		case "network":
			f.network = true
			if len(words) > 2 {
				limit, err := strconv.Atoi(words[2])
				f.network = err == nil && s.count("network-"+name) <= limit
			}
		case "hold":
			if len(words) > 2 {
				f.hold = words[2]
			}
		case "slow":
			if len(words) > 2 {
				f.slow, _ = time.ParseDuration(words[2]) // not a duration: no time
			}
		}
	}
	return f
}

// count adds one to a counter and returns it.
func (s *System) count(name string) int {
	file := filepath.Join("var/lib/azlin-emulator", filepath.Base(name))
	if s.UID != 0 {
		file = filepath.Join("tmp", filepath.Base(name))
	}
	data, err := os.ReadFile(s.path(file))
	n := 0
	if err == nil {
		n, _ = strconv.Atoi(string(data)) // somebody wrote it: begin again
	}
	_ = s.write(file, []byte(strconv.Itoa(n+1)), 0o644) // then it goes wrong once more
	return n + 1
}
