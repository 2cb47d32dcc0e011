package host_test

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// command is one of the system's programs, at work beside the lab's key.
func (l *lab) command(name, from string, args ...string) *exec.Cmd {
	l.t.Helper()
	cmd := exec.CommandContext(l.t.Context(), program(l.t, name, from), args...)
	cmd.Dir = l.dir
	return cmd
}

func (l *lab) must(cmd *exec.Cmd) string {
	l.t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		l.t.Fatalf("%s: %v\n%s", filepath.Base(cmd.Path), err, out)
	}
	return string(out)
}

// remote is ssh as a program that others call.
func (l *lab) remote() string {
	return "ssh -p " + itoa(l.Port()) + " '" + strings.Join(l.options(), "' '") + "'"
}

func TestCopy(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	m := l.machine("copy")
	l.start(m)
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	file := filepath.Join(l.dir, "file")
	if err := os.WriteFile(file, content, 0o640); err != nil {
		t.Fatal(err)
	}
	target := m.AdminUser + "@" + m.Addresses[0].String() + ":"
	for name, copyOver := range map[string]func(*lab, string, string) *exec.Cmd{
		"scp": func(l *lab, from, to string) *exec.Cmd {
			return l.command("scp", "openssh-client", append(l.options(), "-P", itoa(l.Port()), "-p", from, to)...)
		},
		"scp -O": func(l *lab, from, to string) *exec.Cmd {
			return l.command("scp", "openssh-client", append(l.options(), "-O", "-P", itoa(l.Port()), "-p", from, to)...)
		},
		"rsync": func(l *lab, from, to string) *exec.Cmd {
			return l.command("rsync", "rsync", "-a", "-e", l.remote(), from, to)
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := *l
			l.t = t
			there, back := "there-"+strings.ReplaceAll(name, " ", ""), filepath.Join(t.TempDir(), "back")
			l.must(copyOver(&l, file, target+there))
			if got := l.sh(m, "stat -c '%U %a %s' "+there); got != "azureuser 640 1048576" {
				t.Errorf("there is %q", got)
			}
			l.must(copyOver(&l, target+there, back))
			if got, err := os.ReadFile(back); err != nil || !bytes.Equal(got, content) {
				t.Errorf("%d bytes came back, %v", len(got), err)
			}
		})
	}
	t.Run("sftp", func(t *testing.T) {
		cmd := l.command("sftp", "openssh-client", append(l.options(), "-P", itoa(l.Port()), "-b", "-", target)...)
		cmd.Stdin = strings.NewReader("put " + file + " by-sftp\nmkdir d\nrename by-sftp d/f\nls -l d\n")
		if out := l.must(cmd); !strings.Contains(out, "1048576") {
			t.Errorf("%s", out)
		}
	})
}

func TestGit(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	m := l.machine("git")
	l.start(m)
	program(t, "git", "git")
	l.sh(m, "git init -q --bare repo.git")
	url := "ssh://" + m.AdminUser + "@" + m.Addresses[0].String() + ":" + itoa(l.Port()) + "/home/azureuser/repo.git"
	for _, args := range [][]string{
		{"init", "-q", "-b", "main", "work"},
		{"-C", "work", "-c", "user.name=n", "-c", "user.email=e@x", "commit", "-q", "--allow-empty", "-m", "first"},
		{"-C", "work", "push", "-q", url, "main"},
		{"clone", "-q", "-b", "main", url, "again"},
	} {
		cmd := l.command("git", "git", args...)
		cmd.Env = append(os.Environ(), "GIT_SSH_COMMAND=ssh '"+strings.Join(l.options(), "' '")+"'", "HOME="+l.dir)
		l.must(cmd)
	}
	if got := l.sh(m, "git -C repo.git log --format=%s main"); got != "first" {
		t.Errorf("%q", got)
	}
}

func TestTmux(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	m := l.machine("tmux")
	l.start(m)
	program(t, "tmux", "tmux")
	l.sh(m, "tmux new-session -d -s azlin; tmux send-keys -t azlin 'echo marker > ~/made' Enter")
	l.sh(m, "until [ -s made ]; do sleep 0.05; done")
	if got := l.sh(m, "tmux list-sessions -F '#{session_name}'; cat made"); got != "azlin\nmarker" {
		t.Errorf("%q", got)
	}
	if err := l.Restart(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	if out, err := l.ssh(m, nil, "tmux list-sessions").CombinedOutput(); err == nil {
		t.Errorf("tmux survived the restart: %s", out)
	}
	if got := l.sh(m, "cat made"); got != "marker" {
		t.Errorf("the home is %q after the restart", got)
	}
}

func TestForwarding(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	near, far := l.machine("near"), l.machine("far")
	l.start(near)
	l.start(far)

	t.Run("jump", func(t *testing.T) {
		proxy := l.remote() + " -W %h:%p " + near.AdminUser + "@" + near.Addresses[0].String()
		if got := strings.TrimSpace(l.must(l.ssh(far, []string{"-o", "ProxyCommand=" + proxy}, "hostname"))); got != "far" {
			t.Errorf("%q", got)
		}
	})
	t.Run("remote", func(t *testing.T) {
		c := l.client(near)
		listener, err := c.Listen("tcp", "0.0.0.0:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		go func() {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			_, _ = conn.Write([]byte("from the client\n"))
		}()
		_, port, _ := net.SplitHostPort(listener.Addr().String())
		if got := l.sh(near, "exec 3<>/dev/tcp/127.0.0.1/"+port+"; cat <&3"); got != "from the client" {
			t.Errorf("%q", got)
		}
	})
	t.Run("not beyond loopback", func(t *testing.T) {
		if conn, err := l.client(near).Dial("tcp", "192.0.2.1:80"); err == nil || !strings.Contains(err.Error(), "loopback") {
			t.Errorf("%v %v", conn, err)
		}
	})
	t.Run("unix socket", func(t *testing.T) {
		c := l.client(near)
		listener, err := c.ListenUnix("/tmp/by-client")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		go func() {
			if conn, err := listener.Accept(); err == nil {
				_, _ = conn.Write([]byte("hello"))
				conn.Close()
			}
		}()
		conn, err := c.Dial("unix", "/tmp/by-client")
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 5)
		if _, err := conn.Read(buf); err != nil || string(buf) != "hello" {
			t.Errorf("%q %v", buf, err)
		}
	})
	t.Run("agent", func(t *testing.T) {
		program(t, "ssh-agent", "openssh-client")
		script := `eval "$(ssh-agent)" >/dev/null; trap 'kill $SSH_AGENT_PID' EXIT; ssh-add -q "$KEY"; ` +
			strings.Replace(l.remote(), "IdentityAgent=none", "IdentityAgent=SSH_AUTH_SOCK", 1) + ` -A azureuser@` + near.Addresses[0].String() + ` 'ssh-add -L'`
		cmd := l.command("sh", "dash", "-c", script)
		cmd.Env = append(os.Environ(), "KEY="+l.key)
		if got := l.must(cmd); !strings.HasPrefix(got, l.public) {
			t.Errorf("the agent shows %q, want %q", got, l.public)
		}
	})
}
