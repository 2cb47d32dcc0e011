// Package sshd is the SSH server of emulated VMs: transport and authentication in the emulator's process, what a
// session does inside the VM. It behaves as Ubuntu's sshd does by default, with public keys as the only way in.
package sshd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/emulator/host/guest"
)

// The limits of a connection, as in Ubuntu's sshd_config or tighter.
const (
	loginGrace   = 30 * time.Second
	maxAuthTries = 6
	maxSessions  = 10
	maxForwards  = 32
	maxChannels  = 256
)

// Version is what the server calls itself.
const Version = "SSH-2.0-azlin_emulator"

// Server answers SSH for one VM.
type Server struct {
	HostKeys []ssh.Signer // at least one
	Guest    *guest.Guest
	Operator netip.Addr // what $SSH_CLIENT names as the client's address; zero: the real one
	Hostname string     // forwardings to this name stay in the VM
	Log      *slog.Logger
	SignedIn func() // called once, when the client has; nil: nobody wants to know
}

// connection is one authenticated client.
type connection struct {
	*Server
	conn   *ssh.ServerConn
	grants grants

	sessions, channels atomic.Int32

	mu       sync.Mutex
	forwards map[string]interface{ Close() error }
}

// Serve speaks SSH on raw until either side ends it or ctx does.
func (s *Server) Serve(ctx context.Context, raw net.Conn) error {
	defer raw.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	defer stop()

	log := s.authLog(raw)
	config := &ssh.ServerConfig{ServerVersion: Version, MaxAuthTries: maxAuthTries}
	config.PublicKeyCallback = func(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		p, err := s.authenticate(ctx, meta.User(), key)
		if errors.Is(err, guest.ErrGone) || err != nil && ctx.Err() != nil {
			raw.Close() // the VM goes down: sshd goes with it, and refuses no key
			return nil, err
		}
		log.tried(meta.User(), err)
		return p, err
	}
	for _, key := range s.HostKeys {
		config.AddHostKey(key)
	}
	if err := raw.SetDeadline(time.Now().Add(loginGrace)); err != nil {
		return err
	}
	conn, channels, requests, err := ssh.NewServerConn(raw, config)
	if err != nil {
		log.refused()
		return fmt.Errorf("log in: %w", err)
	}
	defer conn.Close()
	if s.SignedIn != nil {
		s.SignedIn()
	}
	if err := raw.SetDeadline(time.Time{}); err != nil {
		return err
	}
	granted, ok := conn.Permissions.ExtraData[grantsKey{}].(grants)
	if !ok {
		return errors.New("log in: no permissions")
	}
	if err := log.accepted(conn.User(), granted.Key); err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	defer log.closed(conn.User())
	c := &connection{Server: s, conn: conn, grants: granted, forwards: map[string]interface{ Close() error }{}}
	defer c.closeForwards()
	go c.globalRequests(ctx, requests)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	for ch := range channels {
		if c.channels.Add(1) > maxChannels {
			c.channels.Add(-1)
			_ = ch.Reject(ssh.ResourceShortage, "too many channels")
			continue
		}
		running.Go(func() {
			defer c.channels.Add(-1)
			c.open(ctx, ch)
		})
	}
	return nil
}

// open serves one channel until it closes.
func (c *connection) open(ctx context.Context, ch ssh.NewChannel) {
	switch ch.ChannelType() {
	case "session":
		if c.sessions.Add(1) > maxSessions {
			c.sessions.Add(-1)
			_ = ch.Reject(ssh.ConnectionFailed, "open failed") // as sshd does beyond MaxSessions
			return
		}
		defer c.sessions.Add(-1)
		c.session(ctx, ch)
	case "direct-tcpip":
		c.forwardTCP(ctx, ch)
	case "direct-streamlocal@openssh.com":
		c.forwardUnix(ctx, ch)
	default:
		_ = ch.Reject(ssh.UnknownChannelType, "unknown channel type")
	}
}

// globalRequests answers what concerns the connection as a whole; a keepalive wants any answer at all.
func (c *connection) globalRequests(ctx context.Context, requests <-chan *ssh.Request) {
	for req := range requests {
		ok, payload := false, []byte(nil)
		switch req.Type {
		case "tcpip-forward":
			ok, payload = c.listenTCP(ctx, req.Payload)
		case "cancel-tcpip-forward":
			ok = c.cancelTCP(req.Payload)
		case "streamlocal-forward@openssh.com":
			ok = c.listenUnix(ctx, req.Payload)
		case "cancel-streamlocal-forward@openssh.com":
			ok = c.cancelUnix(req.Payload)
		}
		if req.WantReply {
			_ = req.Reply(ok, payload)
		}
	}
}
