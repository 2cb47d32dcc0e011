package host_test

import (
	"bytes"
	"crypto/ed25519"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/test/wait"
)

// TestAuthLog reads what the VM's auth.log says of those who came and of those who were turned away.
func TestAuthLog(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	m := l.machine("auth")
	l.start(m)
	strangers := make([]ssh.Signer, 7)
	for i := range strangers {
		var err error
		if strangers[i], err = ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{byte(i + 7)}, ed25519.SeedSize))); err != nil {
			t.Fatal(err)
		}
	}
	try := func(user string, keys ...ssh.Signer) {
		t.Helper()
		address := net.JoinHostPort(m.Addresses[0].String(), strconv.Itoa(l.Port()))
		c, err := ssh.Dial("tcp", address, &ssh.ClientConfig{
			User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(keys...)}, HostKeyCallback: func(string, net.Addr, ssh.PublicKey) error { return nil },
		})
		if err == nil {
			c.Close()
			t.Errorf("%s was let in", user)
		}
	}
	try(m.AdminUser, strangers[0])
	try("mallory\nroot", strangers[0])
	try(m.AdminUser, strangers...)
	l.sh(m, "sudo id")
	var log string
	wait.Until(t, "the end of a connection is logged", func() bool { // after the client has gone
		log = l.sh(m, "cat /var/log/auth.log")
		return strings.Contains(log, "session closed")
	})
	for _, want := range []string{
		"Connection closed by authenticating user azureuser 203.0.113.10 port ",
		"Invalid user mallory?root from 203.0.113.10 port ",
		"Connection closed by invalid user mallory?root 203.0.113.10 port ",
		"error: maximum authentication attempts exceeded for azureuser from 203.0.113.10 port ",
		"Accepted publickey for azureuser from 203.0.113.10 port ",
		"pam_unix(sshd:session): session opened for user azureuser(uid=1000) by azureuser(uid=0)",
		"sudo: azureuser : PWD=/home/azureuser ; USER=root ; COMMAND=id",
		"Disconnected from user azureuser 203.0.113.10 port ",
		"pam_unix(sshd:session): session closed for user azureuser",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("auth.log lacks %q:\n%s", want, log)
		}
	}
	for line := range strings.Lines(log) {
		if _, err := time.Parse(time.RFC3339, strings.Fields(line)[0]); err != nil {
			t.Errorf("%q: %v", line, err)
		}
	}
}
