package launch

import (
	"context"
	"net"
	"strconv"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm/provision"
)

// provisionOnce makes the VM, and looks meanwhile whether it answers already: Azure is asked at long intervals only, as
// it wants to be, and a VM that accepts a login is done, or nearly.
func (l *Launcher) provisionOnce(ctx context.Context, plan *Plan, report func(step string)) (provision.Details, error) {
	ctx, done := context.WithCancel(ctx)
	defer done()
	return l.Provisioner.ProvisionWatched(ctx, plan.Config, report, func(a provision.Accepted) {
		if a.PublicIP != "" {
			go func() {
				if l.answers(ctx, plan, a.PublicIP) {
					report("it accepts logins")
					a.LookNow()
				}
			}()
		}
	})
}

// How often, and how long, a VM that is being made is knocked at.
const (
	knockEvery   = time.Second
	knockTimeout = 1500 * time.Millisecond // what is lost before it listens would be repeated only after seconds
)

// answers waits until a login at the address succeeds. It is false when ctx ends before, or when it cannot be known.
func (l *Launcher) answers(ctx context.Context, plan *Plan, address string) bool {
	host := remote.Host{
		Name: plan.Config.Name, Address: address, Port: l.Reach.Port, User: plan.Config.AdminUsername,
		KeyPath: plan.Config.SSHKeyPath, AgentSocket: l.Reach.AgentSocket,
		Limits: l.Reach.Limits, Dials: l.Reach.Dials,
	}
	var err error
	if host.HostKey, _, _, _, err = ssh.ParseAuthorizedKey([]byte(plan.Config.HostKey)); err != nil {
		return false
	}
	dialer := net.Dialer{Timeout: knockTimeout}
	target := net.JoinHostPort(address, strconv.Itoa(portOf(host)))
	for {
		if conn, err := dialer.DialContext(ctx, "tcp", target); err == nil {
			_ = conn.Close() // it only shows that somebody is there
			if client, err := remote.Dial(ctx, host); err == nil {
				_ = client.Close() // as above
				return true
			}
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(knockEvery):
		}
	}
}

func portOf(h remote.Host) int {
	if h.Port == 0 {
		return remote.DefaultPort
	}
	return h.Port
}
