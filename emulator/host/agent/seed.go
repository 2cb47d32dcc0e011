//go:build unix

package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/azlin-dev/azlin/emulator/host/cloudinit"
	"github.com/azlin-dev/azlin/emulator/host/software"
)

// systemFiles are the files of /etc in which an Ubuntu VM differs from whatever the host is.
var systemFiles = [...]struct {
	name, content string
	mode          os.FileMode
}{
	{"etc/passwd", `root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
bin:x:2:2:bin:/bin:/usr/sbin/nologin
sys:x:3:3:sys:/dev:/usr/sbin/nologin
sync:x:4:65534:sync:/bin:/bin/sync
man:x:6:12:man:/var/cache/man:/usr/sbin/nologin
mail:x:8:8:mail:/var/mail:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
backup:x:34:34:backup:/var/backups:/usr/sbin/nologin
_apt:x:42:65534::/nonexistent:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
syslog:x:102:102::/nonexistent:/usr/sbin/nologin
sshd:x:106:65534::/run/sshd:/usr/sbin/nologin
`, 0o644},
	{"etc/group", `root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
adm:x:4:syslog
tty:x:5:
disk:x:6:
mail:x:8:
man:x:12:
kmem:x:15:
dialout:x:20:
cdrom:x:24:
floppy:x:25:
sudo:x:27:
audio:x:29:
dip:x:30:
www-data:x:33:
backup:x:34:
shadow:x:42:
video:x:44:
plugdev:x:46:
staff:x:50:
users:x:100:
syslog:x:102:
netdev:x:110:
lxd:x:111:
nogroup:x:65534:
`, 0o644},
	{"etc/shadow", "root:*:20000:0:99999:7:::\n", 0o640},
	{"etc/gshadow", "root:*::\n", 0o640},
	{"etc/sudoers", "root ALL=(ALL:ALL) ALL\n%admin ALL=(ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\n", 0o440},
	{"etc/environment", "PATH=\"" + defaultPath + "\"\n", 0o644},
	{"etc/os-release", `PRETTY_NAME="Ubuntu 24.04.3 LTS"
NAME="Ubuntu"
VERSION_ID="24.04"
VERSION="24.04.3 LTS (Noble Numbat)"
VERSION_CODENAME=noble
ID=ubuntu
ID_LIKE=debian
HOME_URL="https://www.ubuntu.com/"
SUPPORT_URL="https://help.ubuntu.com/"
BUG_REPORT_URL="https://bugs.launchpad.net/ubuntu/"
UBUNTU_CODENAME=noble
LOGO=ubuntu-logo
`, 0o644},
	{"etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=24.04\nDISTRIB_CODENAME=noble\nDISTRIB_DESCRIPTION=\"Ubuntu 24.04.3 LTS\"\n", 0o644},
	{"etc/debian_version", "trixie/sid\n", 0o644},
	{"etc/issue", "Ubuntu 24.04.3 LTS \\n \\l\n\n", 0o644},
	{"etc/fstab", "# An emulated VM: the emulator mounts its file systems.\n", 0o644},
	{"etc/timezone", "Etc/UTC\n", 0o644},
	{"etc/locale.conf", "LANG=C.UTF-8\n", 0o644},
	{"var/log/auth.log", "", 0o640},
	{"var/log/syslog", "", 0o640},
}

// seedSystem writes the system files on the first boot, and those that name the VM on each.
func (m *machine) seedSystem() error {
	if _, err := os.Stat(m.tree.Path("var/lib/azlin-seeded")); errors.Is(err, os.ErrNotExist) {
		for _, f := range systemFiles {
			if err := m.write(f.name, f.content, f.mode); err != nil {
				return err
			}
		}
		if m.boot.Isolated {
			if err := m.setTimezone("Etc/UTC"); err != nil {
				return err
			}
			if err := m.write("var/lib/dpkg/status", software.BaseStatus(), 0o644); err != nil {
				return err
			}
		}
		if err := m.write("var/lib/azlin-seeded", "", 0o600); err != nil {
			return err
		}
	}
	name := m.boot.Hostname
	hosts := fmt.Sprintf("127.0.0.1 localhost\n127.0.1.1 %s\n\n::1 ip6-localhost ip6-loopback\n", name)
	if err := m.write("etc/hosts", hosts, 0o644); err != nil {
		return err
	}
	if err := m.write("etc/hostname", name+"\n", 0o644); err != nil {
		return err
	}
	if err := m.dropForeignKeys(); err != nil {
		return err
	}
	for _, key := range m.boot.HostKeys {
		base := hostKeyFile(key.Type)
		if _, err := os.Lstat(m.tree.Path(base)); err == nil {
			continue // root may have changed it, as on any machine
		}
		if err := m.write(base, key.Private, 0o600); err != nil {
			return err
		}
		if err := m.write(base+".pub", key.Public+" root@"+name+"\n", 0o644); err != nil {
			return err
		}
	}
	return nil
}

// dropForeignKeys removes the host keys that this instance's disk began with, be it another instance's or an image's, as
// cloud-init does (ssh_deletekeys): two machines must not show the same key.
func (m *machine) dropForeignKeys() error {
	was, err := os.ReadFile(m.tree.Path("var/lib/cloud/data/instance-id"))
	if err == nil && strings.TrimSpace(string(was)) == m.instanceID() {
		return nil
	}
	keys, err := filepath.Glob(m.tree.Path("etc/ssh/ssh_host_*_key*"))
	for _, key := range keys {
		err = errors.Join(err, os.Remove(key))
	}
	return err
}

// write makes a file anew, with no moment in which it is missing or half written; a link in its place is replaced, not
// followed.
func (m *machine) write(name, content string, mode os.FileMode) error {
	path := m.tree.Path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	if err = errors.Join(err, f.Chmod(mode), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// adminUser is what Azure's images make of osProfile's user.
func (m *machine) adminUser(name string) cloudinit.User {
	return cloudinit.User{
		Name: name, Comment: "Ubuntu",
		Groups: []string{"adm", "cdrom", "dip", "lxd", "sudo"},
		Sudo:   []string{"ALL=(ALL) NOPASSWD:ALL"},
	}
}

func (m *machine) setTimezone(name string) error {
	zone := filepath.Join("/usr/share/zoneinfo", filepath.Clean("/"+name))
	if _, err := os.Stat(zone); err != nil {
		return fmt.Errorf("time zone %s: %w", name, err)
	}
	link := m.tree.Path("etc/localtime")
	if err := os.Remove(link); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Symlink(zone, link); err != nil {
		return err
	}
	return m.write("etc/timezone", name+"\n", 0o644)
}
