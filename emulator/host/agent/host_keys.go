//go:build unix

package agent

import (
	"os"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// maxHostKey bounds a key file: VM root writes them.
const maxHostKey = 16 << 10

func hostKeyFile(kind string) string { return "etc/ssh/ssh_host_" + kind + "_key" }

// liveHostKeys reads the keys that sshd starts with from /etc/ssh; a file that holds none is passed over, as
// sshd does.
func (m *machine) liveHostKeys() []wire.HostKey {
	var keys []wire.HostKey
	for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
		path := m.tree.Path(hostKeyFile(kind))
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() || info.Size() > maxHostKey {
			continue
		}
		private, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		signer, err := ssh.ParsePrivateKey(private)
		if err != nil {
			m.logf("sshd: error loading host key /%s: %v", hostKeyFile(kind), err)
			continue
		}
		public := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
		keys = append(keys, wire.HostKey{Type: kind, Private: string(private), Public: public})
	}
	return keys
}

// announceHostKeys prints the block in which cloud-init shows the host keys on the serial console, the only
// channel through which they can be read before the first connection.
func (m *machine) announceHostKeys() {
	m.logf("-----BEGIN SSH HOST KEY FINGERPRINTS-----")
	for _, key := range m.boot.HostKeys {
		if pub, _, _, _, err := ssh.ParseAuthorizedKey([]byte(key.Public)); err == nil {
			m.logf("256 %s root@%s (%s)", ssh.FingerprintSHA256(pub), m.boot.Hostname, key.Type)
		}
	}
	m.logf("-----END SSH HOST KEY FINGERPRINTS-----")
	m.logf("-----BEGIN SSH HOST KEY KEYS-----")
	for _, key := range m.boot.HostKeys {
		m.logf("%s root@%s", key.Public, m.boot.Hostname)
	}
	m.logf("-----END SSH HOST KEY KEYS-----")
}
