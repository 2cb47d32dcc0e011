//go:build unix

package host_test

import (
	"os"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/emulator/host"
)

func TestProcessMode(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		if r, err := host.Open(host.Options{Dir: t.TempDir(), Mode: host.Process}); err == nil {
			r.Close()
			t.Error("root may run VMs without isolation")
		}
		return // TestUnprivileged comes here again
	}
	l := newLabIn(t, host.Process)
	m := l.machine("process")
	m.CustomData = []byte("#cloud-config\nwrite_files: [{path: /opt/f, content: x}]\nruncmd: ['touch " + l.dir + "/ran']\n")
	l.start(m)
	if got := l.sh(m, "echo $USER; cd; pwd | grep -o 'home/azureuser$'"); got != "azureuser\nhome/azureuser" {
		t.Errorf("%q", got)
	}
	if out, err := l.ssh(m, nil, "sudo id").CombinedOutput(); err == nil || !strings.Contains(string(out), "no root") {
		t.Errorf("%s %v", out, err)
	}
	if _, err := os.Stat(l.dir + "/ran"); err == nil {
		t.Error("runcmd ran on the host")
	}
	marker := itoa(2_000_000 + os.Getpid())
	l.sh(m, "(setsid sleep "+marker+" >/dev/null 2>&1 </dev/null &); sleep "+marker+" >/dev/null 2>&1 </dev/null & echo")
	if err := l.Stop(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	if n := sleepers(t, marker); n > 0 {
		t.Errorf("%d processes survived the stop", n)
	}
}
