package sshd

import (
	"context"
	"fmt"
	"net"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/emulator/host/guest"
	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// maxEnvironment is how many variables a client may send.
const maxEnvironment = 64

// session is a session channel: requests that prepare it, one that starts a command, and those that steer it.
type session struct {
	*connection
	channel  ssh.Channel
	env      []string
	terminal *wire.Terminal
	agent    *guest.Listener
	running  *running
}

func (c *connection) session(ctx context.Context, ch ssh.NewChannel) {
	channel, requests, err := ch.Accept()
	if err != nil {
		return
	}
	defer channel.Close()
	s := &session{connection: c, channel: channel}
	defer s.end()
	for req := range requests {
		ok := s.handle(ctx, req)
		if req.WantReply {
			if err := req.Reply(ok, nil); err != nil {
				return
			}
		}
		if s.running != nil {
			s.running.begin(ctx) // only after the reply, so that an exit status cannot overtake it
		}
	}
}

// end lets go of the command: with a terminal it is hung up, without one it goes on.
func (s *session) end() {
	if s.agent != nil {
		s.agent.Close()
	}
	if s.running != nil {
		s.running.abandon()
	}
}

func (s *session) handle(ctx context.Context, req *ssh.Request) bool {
	switch req.Type {
	case "env":
		return s.setEnv(req.Payload)
	case "pty-req":
		return s.requestTerminal(req.Payload)
	case "auth-agent-req@openssh.com":
		return s.forwardAgent(ctx)
	case "window-change":
		return s.resize(req.Payload)
	case "signal":
		var m struct{ Name string }
		return ssh.Unmarshal(req.Payload, &m) == nil && s.running != nil && s.running.process.Signal(m.Name) == nil
	case "shell":
		return s.start(ctx, wire.Exec{Login: true}, "")
	case "exec":
		var m struct{ Command string }
		return ssh.Unmarshal(req.Payload, &m) == nil && s.start(ctx, wire.Exec{Command: m.Command}, m.Command)
	case "subsystem":
		var m struct{ Name string }
		return ssh.Unmarshal(req.Payload, &m) == nil && m.Name == "sftp" && s.start(ctx, wire.Exec{SFTP: true}, "internal-sftp")
	}
	return false
}

// setEnv takes the variables that Ubuntu's sshd_config accepts, and says no to others as sshd does.
func (s *session) setEnv(payload []byte) bool {
	var m struct{ Name, Value string }
	if ssh.Unmarshal(payload, &m) != nil || len(s.env) == maxEnvironment {
		return false
	}
	if m.Name != "LANG" && !strings.HasPrefix(m.Name, "LC_") {
		return false
	}
	s.env = append(s.env, m.Name+"="+m.Value)
	return true
}

func (s *session) requestTerminal(payload []byte) bool {
	var m struct {
		Term                         string
		Columns, Rows, Width, Height uint32
		Modes                        string
	}
	if ssh.Unmarshal(payload, &m) != nil || !s.grants.PTY || s.running != nil {
		return false
	}
	s.terminal = &wire.Terminal{
		Name: m.Term, Modes: []byte(m.Modes),
		Size: wire.Size{Rows: uint16(min(m.Rows, 1<<15)), Columns: uint16(min(m.Columns, 1<<15))},
	}
	return true
}

func (s *session) resize(payload []byte) bool {
	var m struct{ Columns, Rows, Width, Height uint32 }
	if ssh.Unmarshal(payload, &m) != nil || s.running == nil || s.running.process.Terminal == nil {
		return false
	}
	size := wire.Size{Rows: uint16(min(m.Rows, 1<<15)), Columns: uint16(min(m.Columns, 1<<15))}
	return s.running.process.Resize(size) == nil
}

// start runs the session's one command.
func (s *session) start(ctx context.Context, e wire.Exec, asked string) bool {
	if s.running != nil {
		return false
	}
	if s.grants.Command != "" {
		e = wire.Exec{Command: s.grants.Command}
		if asked != "" {
			e.Env = append(e.Env, "SSH_ORIGINAL_COMMAND="+asked)
		}
	}
	if e.Command == "" && !e.SFTP {
		e.Login = true
	}
	e.Terminal = s.terminal
	e.Env = append(append(e.Env, s.env...), s.clientEnv()...)
	if s.agent != nil {
		e.Env = append(e.Env, "SSH_AUTH_SOCK="+s.agent.Path)
	}
	running, err := s.run(ctx, e)
	if err != nil {
		s.Log.DebugContext(ctx, "start session command", "user", s.conn.User(), "error", err)
		return false
	}
	s.running = running
	return true
}

// clientEnv tells who is connected, with the operator's public address in place of a loopback one.
func (s *session) clientEnv() []string {
	remote, ok1 := s.conn.RemoteAddr().(*net.TCPAddr)
	local, ok2 := s.conn.LocalAddr().(*net.TCPAddr)
	if !ok1 || !ok2 {
		return nil
	}
	client := remote.IP.String()
	if s.Operator.IsValid() {
		client = s.Operator.String()
	}
	return []string{
		fmt.Sprintf("SSH_CLIENT=%s %d %d", client, remote.Port, local.Port),
		fmt.Sprintf("SSH_CONNECTION=%s %d %s %d", client, remote.Port, local.IP, local.Port),
	}
}

// forwardAgent makes a socket inside the VM that leads to the client's ssh-agent.
func (s *session) forwardAgent(ctx context.Context) bool {
	if !s.grants.Agent || s.agent != nil {
		return false
	}
	l, err := s.Guest.Listen(ctx, s.conn.User(), "")
	if err != nil {
		return false
	}
	s.agent = l
	go s.acceptInto(ctx, l.Accept, func(net.Conn) (string, []byte) { return "auth-agent@openssh.com", nil })
	return true
}
