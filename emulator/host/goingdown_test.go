package host_test

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// A VM that goes down hangs up; that it refused a key would be a lie.
func TestNoKeyIsRefusedByARestart(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	m := l.machine("down")
	l.start(m)
	for i := range 30 {
		var restart sync.WaitGroup
		config := &ssh.ClientConfig{User: m.AdminUser, Auth: []ssh.AuthMethod{ssh.PublicKeys(l.signer)}, HostKeyCallback: func(string, net.Addr, ssh.PublicKey) error {
			restart.Go(func() {
				if err := l.Restart(t.Context(), m.ID); err != nil {
					t.Error(err)
				}
			})
			<-time.After(time.Duration(i) * 100 * time.Microsecond) // the keys are asked for when the VM is about to end: each moment counts
			return nil
		}}
		c, err := ssh.Dial("tcp", net.JoinHostPort(m.Addresses[0].String(), itoa(l.Port())), config)
		if err == nil {
			c.Close()
		} else if strings.Contains(err.Error(), "unable to authenticate") {
			t.Error(err)
		}
		restart.Wait()
	}
}
