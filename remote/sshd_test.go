//go:build unix

package remote_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/remote/knownhosts"
)

// sshd is OpenSSH's server, a process for each connection, behind networks that break on request.
type sshd struct {
	remote.Host

	t         *testing.T
	dir       string
	config    string
	path      string
	known     knownhosts.File
	mu        sync.Mutex
	processes map[*exec.Cmd]bool
}

func openSSHD(t *testing.T) *sshd {
	t.Helper()
	path, err := exec.LookPath("sshd")
	if err != nil {
		path = "/usr/sbin/sshd"
	}
	if _, err := os.Stat(path); err != nil {
		t.Skip("OpenSSH's server is not installed (apt install openssh-server)")
	}
	if os.Getuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s := &sshd{t: t, dir: dir, path: path, config: filepath.Join(dir, "sshd_config"), known: knownhosts.File{Path: filepath.Join(dir, "known_hosts")}, processes: map[*exec.Cmd]bool{}}
	pair, err := keypair.GenerateKeyPair(filepath.Join(dir, "client"), "")
	if err != nil {
		t.Fatal(err)
	}
	identity, err := keypair.GenerateKeyPair(filepath.Join(dir, "server"), "")
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`HostKey %s
AuthorizedKeysFile %s
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PidFile none
PrintMotd no
LogLevel ERROR
SetEnv TMUX_TMPDIR=%s
`, identity.Private, pair.Public, dir)
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	public, err := keypair.PublicKeyContent(identity.Public)
	if err != nil {
		t.Fatal(err)
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(public))
	if err != nil {
		t.Fatal(err)
	}
	s.Host = remote.Host{
		Name: "dev", VMID: "sshd-" + strings.ToLower(rand.Text()), Address: "127.0.0.1", User: me.Username, KeyPath: pair.Private, HostKey: key,
		Limits: remote.Limits{Connect: 5 * time.Second, Handshake: 5 * time.Second, KeepAlive: time.Second, Unanswered: 1},
	}
	if err := s.known.Pin(t.Context(), s.VMID, key); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		kill := exec.CommandContext(context.Background(), "tmux", "kill-server")
		kill.Env = append(os.Environ(), "TMUX_TMPDIR="+dir)
		_ = kill.Run() // there may be none
		s.killAll()
	})
	return s
}

// serve runs a server for one connection.
func (s *sshd) serve(conn net.Conn) {
	defer conn.Close()
	file, err := conn.(*net.TCPConn).File()
	if err != nil {
		return
	}
	cmd := exec.CommandContext(s.t.Context(), s.path, "-i", "-e", "-f", s.config)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = file, file, io.Discard
	s.mu.Lock()
	err = cmd.Start()
	s.processes[cmd] = true
	s.mu.Unlock()
	_ = file.Close() // it is the server's
	_ = conn.Close() // as above
	if err == nil {
		_ = cmd.Wait() // however it ends
	}
	s.mu.Lock()
	delete(s.processes, cmd)
	s.mu.Unlock()
}

// killAll ends every server as a machine that goes down does.
func (s *sshd) killAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for cmd := range s.processes {
		_ = cmd.Process.Kill() // it may have ended
		// With privilege separation the connection is a child's.
		_ = exec.CommandContext(context.Background(), "pkill", "-KILL", "-P", fmt.Sprint(cmd.Process.Pid)).Run()
	}
}

// network is an address behind which the server is.
type network struct {
	sshd     *sshd
	listener net.Listener

	mu     sync.Mutex
	flow   *flow // of those who come now
	dead   bool  // whoever comes is not answered
	conns  map[net.Conn]bool
	closed chan struct{}
}

// flow is what connections have in common that freeze together.
type flow struct{ frozen atomic.Bool }

func (s *sshd) network() *network {
	s.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	n := &network{sshd: s, listener: l, flow: &flow{}, conns: map[net.Conn]bool{}, closed: make(chan struct{})}
	s.t.Cleanup(func() {
		_ = l.Close() // nobody comes any more
		close(n.closed)
		n.drop()
	})
	go n.accept()
	return n
}

func (n *network) port() int { return n.listener.Addr().(*net.TCPAddr).Port }

func (n *network) accept() {
	for {
		near, err := n.listener.Accept()
		if err != nil {
			return
		}
		n.mu.Lock()
		n.conns[near] = true
		dead, flow := n.dead, n.flow
		n.mu.Unlock()
		if dead {
			continue // it stays open, and nothing comes
		}
		go n.carry(near, flow)
	}
}

func (n *network) carry(near net.Conn, flow *flow) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return
	}
	defer inner.Close()
	far, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		return
	}
	server, err := inner.Accept()
	if err != nil {
		return
	}
	go n.sshd.serve(server)
	n.mu.Lock()
	n.conns[far] = true
	n.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { n.pump(far, near, flow) })
	both.Go(func() { n.pump(near, far, flow) })
	both.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.conns, near)
	delete(n.conns, far)
}

func (n *network) pump(to, from net.Conn, flow *flow) {
	defer to.Close()
	buf := make([]byte, 16<<10)
	for {
		k, err := from.Read(buf)
		if flow.frozen.Load() {
			<-n.closed // as long as the test lasts
			return
		}
		if _, werr := to.Write(buf[:k]); werr != nil || err != nil {
			return
		}
	}
}

// drop ends every connection.
func (n *network) drop() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for c := range n.conns {
		_ = c.Close() // it may have ended
	}
}

// freeze lets nothing through any more, in connections that stay open for ever; nobody who comes is answered.
func (n *network) freeze() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.flow.frozen.Store(true)
	n.dead = true
}

// thaw answers those who come.
func (n *network) thaw() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.flow, n.dead = &flow{}, false
}

// echo answers every connection with what it says, in capitals.
func echo(t *testing.T) (port int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // nobody comes any more
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				var b [5]byte
				if _, err := io.ReadFull(c, b[:]); err == nil {
					_, _ = c.Write(bytes.ToUpper(b[:])) // whoever asked may be gone
				}
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

// answers reports whether the echo is at the other end of a port.
func answers(port int) bool {
	c, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), 2*time.Second)
	if err != nil {
		return false
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(2 * time.Second)) // it says so when it reads
	if _, err := io.WriteString(c, "hello"); err != nil {
		return false
	}
	var b [5]byte
	_, err = io.ReadFull(c, b[:])
	return err == nil && string(b[:]) == "HELLO"
}
