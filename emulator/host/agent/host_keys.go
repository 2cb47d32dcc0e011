//go:build unix

package agent

import (
	"golang.org/x/crypto/ssh"
)

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
