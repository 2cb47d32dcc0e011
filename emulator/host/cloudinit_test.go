package host_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

func TestCloudInit(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	m := l.machine("init")
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	public := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	m.CustomData = []byte(`#cloud-config
ssh_keys:
  ed25519_private: |
    ` + strings.ReplaceAll(strings.TrimSpace(string(pem.EncodeToMemory(block))), "\n", "\n    ") + `
  ed25519_public: ` + public + `
users:
  - default
  - {name: dev, groups: [docker], shell: /bin/sh, ssh_authorized_keys: ['` + l.public + `'], sudo: 'ALL=(ALL) NOPASSWD:ALL'}
write_files:
  - {path: /opt/tool/run.sh, content: "#!/bin/sh\necho tool\n", permissions: '0755'}
  - {path: /home/azureuser/late, content: x, owner: 'azureuser:azureuser', defer: true}
bootcmd: ['echo boot >> /var/tmp/boots']
runcmd:
  - echo "to the log"; echo $(id -u) $HOME > /var/tmp/run
  - [sh, -c, 'touch /home/azureuser/by-root; chown azureuser:azureuser /home/azureuser/by-root; exit 3']
packages: [docker.io]
timezone: Europe/Berlin
power_state: {mode: reboot}
final_message: all done
`)
	l.start(m)
	if got := l.hostKey(m); got != public {
		t.Errorf("the host key is %q, want %q", got, public)
	}
	if got := l.sh(m, "cloud-init status --wait; cloud-init status --format json | grep -c 'Runparts: 1 failures (runcmd)'; cat /opt/tool/run.sh | sh"); got !=
		"status: error\n2\ntool" {
		t.Errorf("%q", got)
	}
	for command, want := range map[string]string{
		"cat /var/tmp/run":             "0 /root",
		"stat -c '%U %a' late by-root": "azureuser 644\nazureuser 644",
		"date +%Z | grep -c CE":        "1",
		"docker --version | grep -c Docker; getent group docker | cut -d: -f1; grep -c ^Commandline.*docker.io /var/log/apt/history.log": "1\ndocker\n1",
		"test -e /var/lib/cloud/instance/boot-finished && cat /run/cloud-init/result.json | grep -c runcmd":                              "1",
		"cat /var/lib/cloud/instance/user-data.txt 2>&1 | grep -c denied":                                                                "1",
		"sudo head -1 /var/lib/cloud/instance/user-data.txt":                                                                             "#cloud-config",
		"grep -c 'to the log' /var/log/cloud-init-output.log":                                                                            "1",
		"cat /etc/ssh/ssh_host_ed25519_key 2>&1 | grep -c denied":                                                                        "1",
		"cut -d' ' -f2 /etc/ssh/ssh_host_ed25519_key.pub":                                                                                strings.Fields(public)[1],
	} {
		if got := l.sh(m, command); got != want {
			t.Errorf("%s: %q, want %q", command, got, want)
		}
	}
	log, err := l.Console(m.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"to the log", "all done", "BEGIN SSH HOST KEY FINGERPRINTS", `"power_state"`} {
		if !strings.Contains(string(log), want) {
			t.Errorf("the console lacks %q", want)
		}
	}
	if strings.Contains(string(log), "PRIVATE KEY") {
		t.Error("the console shows a private key")
	}

	if err := l.Restart(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	if got := l.sh(m, "wc -l < /var/tmp/boots; wc -l < /var/tmp/run"); got != "2\n1" {
		t.Errorf("bootcmd and runcmd ran %q times", got)
	}
	m.AdminUser = "dev"
	if got := l.sh(m, "id -u; echo $0; sudo id -u"); got != "1001\nsh\n0" {
		t.Errorf("%q", got)
	}
}

// TestBackgroundRun checks that a long runcmd keeps nobody from logging in.
func TestBackgroundRun(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	m := l.machine("long")
	m.CustomData = []byte("#!/bin/bash\necho started\nsleep 2\necho script > /var/tmp/script\n")
	l.start(m)
	if got := l.sh(m, "cloud-init status"); got != "status: running" {
		t.Errorf("%q", got)
	}
	if got := l.sh(m, "cloud-init status --wait; cat /var/tmp/script"); got != "status: done\nscript" {
		t.Errorf("%q", got)
	}
}
