package agent

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// adoptOrphans makes this process the parent of orphans among its descendants, so that it can find them.
func adoptOrphans() error { return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// killDescendants kills children, and theirs as they become ours, until there are none.
func killDescendants() {
	for range 1000 { // a fork bomb may be faster than we are
		lists, err := filepath.Glob("/proc/self/task/*/children")
		if err != nil {
			return
		}
		found := false
		for _, list := range lists {
			data, err := os.ReadFile(list)
			if err != nil {
				continue
			}
			for field := range strings.FieldsSeq(string(data)) {
				if pid, err := strconv.Atoi(field); err == nil && syscall.Kill(pid, syscall.SIGKILL) == nil {
					found = true
					_, _ = syscall.Wait4(pid, nil, 0, nil) // the reaper may be faster
				}
			}
		}
		if !found {
			return
		}
	}
}
