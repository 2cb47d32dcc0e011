package software_test

import (
	"strings"
	"testing"
)

// TestUpgrade: what the archive has by now comes with an upgrade, and is told by the program that it belongs to.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	for _, line := range []string{
		"apt-get install -y gh hello pipx rustup", "pipx install uv", "rustup default stable",
	} {
		if code, out := m.run(0, line); code != 0 {
			t.Fatalf("%s: exit code %d: %s", line, code, out)
		}
	}
	m.write("etc/azlin-emulator/faults", "gh newer 2.60.0-1ubuntu1\nlibc6 newer 2.39-0ubuntu8.7\nuv newer 0.9.99\nrust-stable newer 1.99.0\nhello fail\n")
	for _, c := range []struct{ line, want string }{
		{"apt-get -s upgrade", "Inst gh [2.45.0-1ubuntu0.3] (2.60.0-1ubuntu1 Ubuntu:24.04/noble-updates ["},
		{"apt-get -s upgrade", "2 upgraded, 0 newly installed, 0 to remove and 0 not upgraded."},
		{"apt list --upgradable gh", "gh/noble-updates 2.60.0-1ubuntu1"},
		{"apt-get upgrade", "Abort."},
		{"apt-get install -y --only-upgrade gh jq", "1 upgraded, 0 newly installed, 0 to remove and 1 not upgraded."},
		{"apt-get install -y --only-upgrade gh jq", "Skipping jq, it is not installed"},
		{"apt-get install -y --only-upgrade gh jq", "gh is already the newest version (2.60.0-1ubuntu1)."},
		{"apt-get upgrade -y", "Unpacking libc6 (2.39-0ubuntu8.7) over (2.39-0ubuntu8.6)"},
		{"apt-get upgrade -y", "0 upgraded"},
		{"pipx upgrade uv", "upgraded package uv from 0.9.10 to 0.9.99"},
		{"pipx upgrade uv", "uv is already at latest version 0.9.99"},
		{"pipx upgrade azure-cli", "Package is not installed."},
		{"rustup update stable", "rust version 1.99.0"},
		{"rustc --version", "rustc 1.99.0"},
	} {
		if _, out := m.run(0, c.line); !strings.Contains(out, c.want) {
			t.Errorf("%s: no %q in\n%s", c.line, c.want, out)
		}
	}
	if got := m.read("usr/local/bin/gh"); !strings.Contains(got, "gh version 2.60.0 ") {
		t.Errorf("gh is %s", got)
	}
	if got := m.read("run/reboot-required.pkgs"); got != "libc6\n" {
		t.Errorf("a restart is asked for by %q", got)
	}
	if log := m.read("var/log/dpkg.log"); !strings.Contains(log, "upgrade gh:") || !strings.Contains(m.read("var/log/apt/history.log"), "Upgrade: libc6:") {
		t.Errorf("the logs know of no upgrade: %s", log)
	}
}
