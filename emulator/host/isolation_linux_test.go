package host_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/azlin-dev/azlin/test/wait"
)

// TestIsolation tries, as the login user and as root, what a VM must not do to the host.
func TestIsolation(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	m := l.machine("inside")
	l.start(m)

	secret := filepath.Join(l.dir, "secret") // as readable as a file can be
	if err := os.WriteFile(secret, []byte("host secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	bystander := exec.CommandContext(t.Context(), "sleep", "600")
	if err := bystander.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = bystander.Process.Kill()
		_ = bystander.Wait()
	}()
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}

	for name, command := range map[string]string{
		"write to /usr":           "touch /usr/bin/owned",
		"change a host program":   "echo x >> /usr/bin/env",
		"chmod a host program":    "chmod 777 /usr/bin/env",
		"make /usr writable":      "mount -o remount,rw,bind /usr && touch /usr/owned",
		"read a host file":        "cat " + secret,
		"read through pid 1":      "cat /proc/1/root" + secret,
		"see the emulator's home": "ls " + filepath.Join(home, ".ssh") + " " + filepath.Join(home, "go") + " " + filepath.Join(home, ".cache"),
		"read a disk":             "cat /dev/sda /dev/vda /dev/nvme0n1",
		"make a disk node":        "mknod /tmp/disk b 254 0 && cat /tmp/disk",
		"mount a disk":            "mkdir -p /tmp/m && mount -t ext4 /dev/vda /tmp/m",
		"trace pid 1":             "cat /proc/1/environ && ls /proc/1/fd/3",
		"read the agent's memory": "head -c 1 /proc/1/mem",
		"reach the agent's files": `ls $(grep -l "(sshd-[u]ser" /proc/[0-9]*/cmdline | head -1 | sed s/cmdline/fd/)/3`,
		"change the agent":        "echo x >> /run/.azlin/agent",
		"replace the agent":       "mount --bind /bin/true /run/.azlin/agent",
		"set a kernel parameter":  "echo 1 > /proc/sys/kernel/sysrq",
		"load a module":           "insmod /tmp/x.ko",
		"read kernel memory":      "head -c 1 /proc/kcore",
		"set the clock":           "date -s 2001-01-01",
	} {
		for _, as := range []string{"", "sudo "} {
			out, err := l.ssh(m, nil, as+"sh -c '"+command+"'").CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() == 255 { // 255: ssh itself failed
				t.Errorf("%s%s: %v: %s", as, name, err, out)
			}
		}
	}
	t.Run("nested namespaces uncover nothing", func(t *testing.T) {
		for _, as := range []string{"", "sudo "} {
			out, err := l.ssh(m, nil, as+"unshare -Urm sh -c 'mount -o remount,rw,bind /usr && touch /usr/owned; umount -l /usr; umount -l /etc; "+
				"umount -l /root; ls -A /root; cat "+secret+"'").CombinedOutput()
			if err == nil || strings.Contains(string(out), "host secret") {
				t.Errorf("%s: %s", as, out)
			}
		}
	})
	t.Run("the host's shadow file", func(t *testing.T) {
		if out, err := l.ssh(m, nil, "cat /etc/shadow").CombinedOutput(); err == nil {
			t.Errorf("the user reads %s", out)
		}
		got := l.sh(m, "sudo cat /etc/shadow")
		if !strings.Contains(got, "azureuser:!") || strings.Contains(got, "$") {
			t.Errorf("root reads %q", got)
		}
	})
	t.Run("kill everything", func(t *testing.T) {
		_ = l.ssh(m, nil, "kill -9 -1").Run()
		_ = l.ssh(m, nil, "sudo sh -c 'kill -9 -1; kill -9 1; kill -TERM 1'").Run()
		if err := bystander.Process.Signal(syscall.Signal(0)); err != nil {
			t.Errorf("a process of the host ended: %v", err)
		}
		if got := l.sh(m, "echo alive; sudo echo too"); got != "alive\ntoo" {
			t.Errorf("%q", got)
		}
	})
	t.Run("stop everything", func(t *testing.T) {
		for n, as := range []string{"", "sudo "} {
			marker := itoa(3_000_000 + 2*os.Getpid() + n)
			stop := l.ssh(m, nil, as+"sh -c 'kill -STOP -1; exec sleep "+marker+"'")
			if err := stop.Start(); err != nil {
				t.Fatal(err)
			}
			wait.Until(t, "everything else is stopped", func() bool {
				return sleepers(t, marker) > 0
			})
			_ = stop.Process.Kill() // it waits for what was stopped
			_ = stop.Wait()
			if got := l.sh(m, "echo alive; sudo echo too"); got != "alive\ntoo" {
				t.Errorf("%s: %q", as, got)
			}
		}
		_ = l.ssh(m, nil, "sudo sh -c 'kill -9 -1'").Run() // what is still stopped
	})
	t.Run("the root directory is this", func(t *testing.T) {
		got := strings.FieldsSeq(l.sh(m, "ls -A /"))
		for name := range got {
			switch name {
			case "bin", "boot", "dev", "etc", "home", "lib", "lib32", "lib64", "libx32", "media", "mnt", "opt", "proc", "root", "run", "sbin",
				"srv", "sys", "tmp", "usr", "var":
			default:
				t.Errorf("the VM shows /%s", name)
			}
		}
	})
	t.Run("only its own processes", func(t *testing.T) {
		if got := l.sh(m, "ls -d /proc/[0-9]* | wc -l"); len(got) > 1 {
			t.Errorf("the VM sees %s processes", got)
		}
	})
	t.Run("never host uid 0", func(t *testing.T) {
		if got := l.sh(m, "cat /proc/1/uid_map /proc/self/uid_map"); strings.Contains(got, " 0          0 ") {
			t.Errorf("%s", got)
		}
		l.sh(m, "echo mine > ~/mine; sudo sh -c 'echo roots > /root/roots'")
	})
}

func TestUserAndRoot(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	m := l.machine("users")
	m.CustomData = []byte("#cloud-config\nusers: [default, {name: plain, ssh_authorized_keys: ['" + l.public + "']}]\n")
	l.start(m)
	for command, want := range map[string]string{
		"touch /etc/x 2>&1 || echo refused":                                         "touch: cannot touch '/etc/x': Read-only file system\nrefused",
		"ls /root 2>&1 | grep -o 'Permission denied'":                               "Permission denied",
		"sudo sh -c 'echo 192.0.2.9 other >> /etc/hosts'; grep -c other /etc/hosts": "1",
		"sudo touch /usr/local/bin/tool /opt/tool; ls /usr/local/bin/tool":          "/usr/local/bin/tool",
		"echo in | sudo cat":           "in",
		"sudo sh -c 'exit 9'; echo $?": "9",
		"cd /tmp; sudo pwd":            "/tmp",
		"A=1 sudo -E sh -c 'echo $A'; B=1 sudo sh -c 'echo -$B'; sudo C=2 sh -c 'echo $C'": "1\n-\n2",
		"sudo -u azureuser id -un; sudo -i pwd; sudo -- echo dashes":                       "azureuser\n/root\ndashes",
		"sudo sh -c 'echo $SUDO_USER $HOME $USER'":                                         "azureuser /root root",
		"sudo chown azureuser:azureuser /etc/hosts && echo done":                           "done",
		"touch f; sudo chown 1000 f; stat -c %U f; sudo stat -c %U f":                      "azureuser\nroot",
		"sudo su - azureuser -c 'id -un; pwd'":                                             "azureuser\n/home/azureuser",
		"sudo useradd -m extra && id -u extra && ls -d /home/extra":                        "1002\n/home/extra",
		"ps -o uid= -p $$ | tr -d ' '":                                                     "1000",
		"test -c /dev/null && echo x > /dev/null && head -c 2 /dev/zero | wc -c":           "2",
		"sudo systemctl is-active ssh":                                                     "active",
		"echo err > /dev/stderr":                                                           "err",
	} {
		out, err := l.ssh(m, nil, command).CombinedOutput()
		if got := strings.TrimSpace(string(out)); got != want {
			t.Errorf("%s\n got %q %v\nwant %q", command, got, err, want)
		}
	}
	m.AdminUser = "plain"
	if out, err := l.ssh(m, nil, "sudo -n id").CombinedOutput(); err == nil || !strings.Contains(string(out), "sudoers") {
		t.Errorf("a user without a rule: %s %v", out, err)
	}
	if out, err := l.ssh(m, nil, "cat /home/azureuser/.bashrc").CombinedOutput(); err == nil {
		t.Errorf("another user's home: %s", out)
	}
}

// TestUnprivileged runs the other tests of this binary as an ordinary user, if it is root who runs them.
func TestUnprivileged(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("these tests run as an ordinary user already")
	}
	runUnprivileged(t)
}
