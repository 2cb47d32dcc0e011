package host_test

import (
	"os"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/emulator/host"
)

// TestHomeElsewhere: a user whose home root of the VM has put among the host's files, or at the agent's, does not make them
// writable.
func TestHomeElsewhere(t *testing.T) {
	t.Parallel()
	r, _ := hostsOf(t)
	m := host.Machine{ID: "/homes", VMID: "homes", Hostname: "homes", AdminUser: "ann"}
	if err := r.Start(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	for i, home := range []string{"/usr", "/run/.azlin", "/", "/var/../usr", "/srv/link/bin", "/etc", "/opt/../run/.azlin"} {
		name := "evil" + itoa(i)
		out, err := r.Run(t.Context(), m.ID, `ln -sfT /usr /srv/link; useradd -m `+name+` && sed -i 's|:/home/`+name+`:|:`+home+`:|' /etc/passwd && cd / &&
			sudo -u `+name+` sh -c 'id -un; for p in /usr /run/.azlin /run /etc; do awk -v p=$p "\$5 == p {s = \$6} END {print p, s}" /proc/self/mountinfo; done
				touch /usr/x /usr/bin/x /etc/x; chmod 777 /run/.azlin/agent && echo changed'`, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.Stdout, name+"\n") || strings.Contains(out.Stdout, "changed") || strings.Count(out.Stderr, "Read-only file system") < 4 {
			t.Errorf("home %s: %+v", home, out)
		}
		for line := range strings.Lines(out.Stdout) {
			if strings.Contains(line, " rw") {
				t.Errorf("home %s: the user may write to %s", home, line)
			}
		}
	}
	for i, home := range []string{"/srv/app", "/var/lib/app", "/opt/app"} {
		name := "app" + itoa(i)
		out, err := r.Run(t.Context(), m.ID, `mkdir -p `+home+` && useradd -d `+home+` `+name+` && sudo -u `+name+` sh -c 'cd && pwd && echo x > file && cat file'`, nil)
		if err != nil || out.Stdout != home+"\nx\n" {
			t.Errorf("home %s: %+v, %v", home, out, err)
		}
	}
}

// TestBootStaysInside: links that a VM has put where its directories are made lead nowhere on the host, and the VM boots with
// them.
func TestBootStaysInside(t *testing.T) {
	t.Parallel()
	r, _ := hostsOf(t)
	victim, err := os.MkdirTemp("", "victim-") //nolint:usetesting // t.TempDir is closed to the VMs' user
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(victim) }) // nothing is left to be said
	if err := os.Chmod(victim, 0o777); err != nil {
		t.Fatal(err)
	}
	m := host.Machine{ID: "/linked", VMID: "linked", Hostname: "linked", AdminUser: "ann"}
	if err := r.Start(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	script := `rm -rf /var/lib /var/cache /var/backups /var/spool /usr/local/games /usr/local/src
		ln -s ` + victim + ` /var/lib; ln -s /mnt/data/cache /var/cache; ln -s /proc/nowhere /var/backups; ln -s spool /var/spool
		ln -s ` + victim + `/games /usr/local/games; ln -s ` + victim + ` /usr/local/src`
	if out, err := r.Run(t.Context(), m.ID, script, nil); err != nil || out.ExitCode != 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	for range 2 {
		if err := r.Restart(t.Context(), m.ID); err != nil {
			t.Fatal(err)
		}
		if entries, err := os.ReadDir(victim); err != nil || len(entries) > 0 {
			t.Errorf("on the host there are %v, %v", entries, err)
		}
		out, err := r.Run(t.Context(), m.ID, "ls -d /var/cache/. /var/lib/cloud/instances; readlink /var/backups", nil)
		if err != nil || out.Stdout != "/var/cache/.\n/var/lib/cloud/instances\n/proc/nowhere\n" {
			t.Errorf("%+v, %v", out, err)
		}
	}
}
