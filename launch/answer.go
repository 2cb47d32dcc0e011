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

// provisionOnce creates the VM, and meanwhile tries SSH: Azure allows a status request only at long intervals, and a VM that
// accepts a login is ready, or almost.
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

// How often, and for how long, SSH is tried while a VM is being created.
const (
	knockEvery   = time.Second
	knockTimeout = 1500 * time.Millisecond // a packet lost before the VM listens would be resent only after seconds
)

// answers waits until a login at the address succeeds. It returns false when ctx ends first, or when it cannot try.
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
			_ = conn.Close() // only shows that something listens
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
