package host

import (
	"os"
	"strings"
)

// obstacles are the kernel settings that forbid namespaces to ordinary users.
var obstacles = [...]struct{ file, bad, remedy string }{
	{"/proc/sys/user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=15000"},
	{"/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"},
	{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "sysctl kernel.apparmor_restrict_unprivileged_userns=0"},
}

// obstacle names the setting that is in the way, as far as it can be known.
func obstacle(mode Mode) string {
	if mode != Namespaces {
		return ""
	}
	for _, o := range obstacles {
		if value, err := os.ReadFile(o.file); err == nil && strings.TrimSpace(string(value)) == o.bad {
			name := strings.ReplaceAll(strings.TrimPrefix(o.file, "/proc/sys/"), "/", ".")
			return " (" + name + " is " + o.bad + "; as root: " + o.remedy + ")"
		}
	}
	return " (user namespaces must be allowed, also inside a container: its seccomp profile may forbid them; Linux 5.12 or later)"
}
