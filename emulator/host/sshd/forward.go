package sshd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// dialTimeout bounds a forwarded connection's start.
const dialTimeout = 2 * time.Minute

// errNotLoopback is the answer to forwardings that would leave the machine. The VMs have no network of their
// own, so their forwardings would be the host's.
var errNotLoopback = errors.New("emulated VMs reach loopback addresses only")

// destination turns what a client wants to reach into an address of this machine.
func (s *Server) destination(host string, port uint32) (string, error) {
	if port == 0 || port > 65535 {
		return "", fmt.Errorf("port %d", port)
	}
	name := strings.ToLower(strings.Trim(host, "[]"))
	if name == "localhost" || name == strings.ToLower(s.Hostname) {
		name = "127.0.0.1"
	}
	addr, err := netip.ParseAddr(name)
	if err != nil || !addr.Unmap().IsLoopback() {
		return "", errNotLoopback
	}
	return net.JoinHostPort(addr.String(), strconv.Itoa(int(port))), nil
}

// forwardTCP serves a local forwarding (ssh -L, -J, -W): a connection from inside the VM.
func (c *connection) forwardTCP(ctx context.Context, ch ssh.NewChannel) {
	var m struct {
		Host       string
		Port       uint32
		Origin     string
		OriginPort uint32
	}
	if err := ssh.Unmarshal(ch.ExtraData(), &m); err != nil || !c.grants.Forward {
		_ = ch.Reject(ssh.Prohibited, "open failed")
		return
	}
	address, err := c.destination(m.Host, m.Port)
	if err != nil {
		_ = ch.Reject(ssh.Prohibited, err.Error())
		return
	}
	d := net.Dialer{Timeout: dialTimeout}
	conn, err := d.DialContext(ctx, "tcp", address)
	c.join(ctx, ch, conn, err)
}

// forwardUnix serves a local forwarding to a Unix socket inside the VM.
func (c *connection) forwardUnix(ctx context.Context, ch ssh.NewChannel) {
	var m struct {
		Path     string
		Reserved string
		Number   uint32
	}
	if err := ssh.Unmarshal(ch.ExtraData(), &m); err != nil || !c.grants.Forward {
		_ = ch.Reject(ssh.Prohibited, "open failed")
		return
	}
	conn, err := c.Guest.Dial(ctx, c.conn.User(), m.Path)
	c.join(ctx, ch, conn, err)
}

func (c *connection) join(ctx context.Context, ch ssh.NewChannel, conn net.Conn, err error) {
	if err != nil {
		_ = ch.Reject(ssh.ConnectionFailed, "Connection refused")
		return
	}
	channel, requests, err := ch.Accept()
	if err != nil {
		conn.Close()
		return
	}
	go ssh.DiscardRequests(requests)
	splice(ctx, channel, conn)
}

// listenTCP serves a remote forwarding (ssh -R), on the loopback address whatever was asked, as without
// GatewayPorts.
func (c *connection) listenTCP(ctx context.Context, payload []byte) (bool, []byte) {
	var m struct {
		Host string
		Port uint32
	}
	if ssh.Unmarshal(payload, &m) != nil || !c.grants.Forward || m.Port > 65535 || m.Port > 0 && m.Port < 1024 && c.conn.User() != "root" {
		return false, nil
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(m.Port))))
	if err != nil {
		return false, nil
	}
	port := uint32(l.Addr().(*net.TCPAddr).Port)
	if !c.keep(tcpKey(m.Host, port), l) {
		l.Close()
		return false, nil
	}
	go c.acceptInto(ctx, l.Accept, func(conn net.Conn) (string, []byte) {
		origin := conn.RemoteAddr().(*net.TCPAddr)
		return "forwarded-tcpip", ssh.Marshal(struct {
			Host       string
			Port       uint32
			Origin     string
			OriginPort uint32
		}{m.Host, port, origin.IP.String(), uint32(origin.Port)})
	})
	if m.Port != 0 {
		return true, nil
	}
	return true, ssh.Marshal(struct{ Port uint32 }{port})
}

func (c *connection) cancelTCP(payload []byte) bool {
	var m struct {
		Host string
		Port uint32
	}
	return ssh.Unmarshal(payload, &m) == nil && c.drop(tcpKey(m.Host, m.Port))
}

// listenUnix serves a remote forwarding from a Unix socket inside the VM.
func (c *connection) listenUnix(ctx context.Context, payload []byte) bool {
	var m struct{ Path string }
	if ssh.Unmarshal(payload, &m) != nil || !c.grants.Forward || m.Path == "" {
		return false
	}
	l, err := c.Guest.Listen(ctx, c.conn.User(), m.Path)
	if err != nil {
		return false
	}
	if !c.keep("unix "+m.Path, l) {
		l.Close()
		return false
	}
	go c.acceptInto(ctx, l.Accept, func(net.Conn) (string, []byte) {
		return "forwarded-streamlocal@openssh.com", ssh.Marshal(struct{ Path, Reserved string }{m.Path, ""})
	})
	return true
}

func (c *connection) cancelUnix(payload []byte) bool {
	var m struct{ Path string }
	return ssh.Unmarshal(payload, &m) == nil && c.drop("unix "+m.Path)
}

// acceptInto opens a channel to the client for each connection that arrives.
func (c *connection) acceptInto(ctx context.Context, accept func() (net.Conn, error), describe func(net.Conn) (string, []byte)) {
	for {
		conn, err := accept()
		if err != nil {
			return
		}
		go func() {
			kind, payload := describe(conn)
			channel, requests, err := c.conn.OpenChannel(kind, payload)
			if err != nil {
				conn.Close()
				return
			}
			go ssh.DiscardRequests(requests)
			splice(ctx, channel, conn)
		}()
	}
}

func tcpKey(host string, port uint32) string { return fmt.Sprintf("tcp %s %d", host, port) }

func (c *connection) keep(key string, l interface{ Close() error }) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, taken := c.forwards[key]; taken || len(c.forwards) == maxForwards {
		return false
	}
	c.forwards[key] = l
	return true
}

func (c *connection) drop(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	l, ok := c.forwards[key]
	if ok {
		l.Close()
		delete(c.forwards, key)
	}
	return ok
}

func (c *connection) closeForwards() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.forwards {
		l.Close()
	}
}

// splice copies both ways until both are through; the end of one direction is passed on by itself.
func splice(ctx context.Context, channel ssh.Channel, conn net.Conn) {
	defer channel.Close()
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(conn, channel)
		if half, ok := conn.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
	})
	both.Go(func() {
		_, _ = io.Copy(channel, conn)
		_ = channel.CloseWrite()
	})
	both.Wait()
}
