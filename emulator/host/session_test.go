package host_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/test/wait"
)

func TestExitCodeAndStreams(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	m := l.machine("streams")
	l.start(m)
	c := l.client(m)

	t.Run("codes pass through", func(t *testing.T) {
		for _, code := range []int{0, 1, 42, 127, 255} {
			s := session(t, c)
			err := s.Run("exit " + itoa(code))
			var exit *ssh.ExitError
			switch {
			case code == 0 && err != nil:
				t.Errorf("exit 0: %v", err)
			case code != 0 && (!errors.As(err, &exit) || exit.ExitStatus() != code):
				t.Errorf("exit %d: %v", code, err)
			}
		}
	})
	t.Run("a signal is reported", func(t *testing.T) {
		var exit *ssh.ExitError
		if err := session(t, c).Run("kill -TERM $$"); !errors.As(err, &exit) || exit.Signal() != "TERM" {
			t.Errorf("%v", err)
		}
	})
	t.Run("a signal is delivered", func(t *testing.T) {
		s := session(t, c)
		out, err := s.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Start("trap 'echo got it; exit 3' USR1; echo ready; while :; do sleep 0.05; done"); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 6)
		if _, err := io.ReadFull(out, buf); err != nil {
			t.Fatal(err)
		}
		if err := s.Signal(ssh.SIGUSR1); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(out)
		if err != nil || string(rest) != "got it\n" {
			t.Errorf("%q %v", rest, err)
		}
	})
	t.Run("output is apart, input ends", func(t *testing.T) {
		s := session(t, c)
		var stdout, stderr bytes.Buffer
		s.Stdin, s.Stdout, s.Stderr = strings.NewReader("a\nb\n"), &stdout, &stderr
		if err := s.Run("wc -l; echo oops >&2"); err != nil {
			t.Fatal(err)
		}
		if strings.TrimSpace(stdout.String()) != "2" || stderr.String() != "oops\n" {
			t.Errorf("stdout %q stderr %q", &stdout, &stderr)
		}
	})
	t.Run("large output both ways", func(t *testing.T) {
		const size = 20 << 20
		s := session(t, c)
		var stdout, stderr counter
		s.Stdin, s.Stdout, s.Stderr = io.LimitReader(zeros{}, size), &stdout, &stderr
		if err := s.Run("tee /dev/stderr"); err != nil {
			t.Fatal(err)
		}
		if stdout != size || stderr != size {
			t.Errorf("stdout %d, stderr %d bytes, want %d", stdout, stderr, size)
		}
	})
	t.Run("only Ubuntu's variables are accepted", func(t *testing.T) {
		s := session(t, c)
		if err := s.Setenv("LC_TIME", "C"); err != nil {
			t.Error(err)
		}
		if err := s.Setenv("GIT_DIR", "/x"); err == nil {
			t.Error("GIT_DIR was accepted")
		}
		out, err := s.Output("echo $LC_TIME,$GIT_DIR")
		if err != nil || string(out) != "C,\n" {
			t.Errorf("%q %v", out, err)
		}
	})
	t.Run("ten sessions", func(t *testing.T) {
		for range 10 {
			if err := session(t, c).Start("sleep 60"); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.NewSession(); err == nil {
			t.Error("an eleventh session was opened")
		}
	})
}

func TestTerminal(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	m := l.machine("terminal")
	l.start(m)

	cmd := l.ssh(m, []string{"-tt"})
	cmd.Env = append(os.Environ(), "TERM=xterm-256color")
	screen, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 30, Cols: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer screen.Close()
	e := newExpecter(t, screen)
	e.send("PS1='@ '; stty size; tty; echo term=$TERM\n")
	e.expect("30 100")
	e.expect("/dev/pts/")
	e.expect("term=xterm-256color")
	if err := pty.Setsize(screen, &pty.Winsize{Rows: 40, Cols: 120}); err != nil {
		t.Fatal(err)
	}
	e.send("sleep 0.2; stty size; shopt login_shell\n")
	e.expect("40 120")
	e.expect("login_shell")
	// Ctrl-C is for the program in the foreground, which is there once it runs.
	first, second := itoa(4_000_000+os.Getpid()), itoa(5_000_000+os.Getpid())
	e.send("sleep " + first + "\n")
	wait.Until(t, "it sleeps", func() bool { return sleepers(t, first) > 0 })
	e.send("\x03")
	e.send("echo status=$?\n")
	e.expect("status=130")
	e.send("sudo tty; sudo -i\n")
	e.expect("/dev/pts/")
	e.expect("root@terminal")
	e.send("stty size; id -un; sleep " + second + "\n")
	e.expect("40 120")
	e.expect("root")
	wait.Until(t, "root sleeps", func() bool { return sleepers(t, second) > 0 })
	e.send("\x03")
	e.send("echo again=$?; exit 5\n")
	e.expect("again=130")
	e.expect("@ ")
	e.send("echo sudo=$?; exit 7\n")
	e.expect("sudo=5")
	err = cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 7 {
		t.Errorf("ssh ended with %v, want exit code 7", err)
	}
}

func TestAuthorizedKeys(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	m := l.machine("keys")
	l.start(m)
	keys := "/home/azureuser/.ssh/authorized_keys"
	for _, tt := range []struct {
		name, prepare, undo string
		admitted            bool
	}{
		{"an emptied file", "mv $K $K.old; touch $K", "mv $K.old $K", false},
		{"an unknown option", `sed -i 's/^/from="192.0.2.1" /' $K`, `sed -i 's/^from="192.0.2.1" //' $K`, false},
		{"a known option", "sed -i 's/^/no-pty /' $K", "sed -i 's/^no-pty //' $K", true},
		{"a file others may write", "chmod 666 $K", "chmod 600 $K", false},
		{"a link to a device", "mv $K $K.old; ln -s /dev/zero $K", "rm $K; mv $K.old $K", false},
		{"a fifo", "mv $K $K.old; mkfifo $K", "rm $K; mv $K.old $K", false},
	} {
		root := "K=" + keys + "; "
		if r, err := l.Run(t.Context(), m.ID, root+tt.prepare, nil); err != nil || r.ExitCode != 0 {
			t.Fatalf("%s: %+v %v", tt.name, r, err)
		}
		out, err := l.ssh(m, nil, "true").CombinedOutput()
		if admitted := err == nil; admitted != tt.admitted {
			t.Errorf("%s: admitted %t, want %t: %s", tt.name, admitted, tt.admitted, out)
		}
		if r, err := l.Run(t.Context(), m.ID, root+tt.undo, nil); err != nil || r.ExitCode != 0 {
			t.Fatalf("%s: %+v %v", tt.name, r, err)
		}
	}
	if got := l.sh(m, "echo in"); got != "in" {
		t.Error("the key does not let in any more")
	}
	m.AdminUser = "nobody-such"
	if err := l.ssh(m, nil, "true").Run(); err == nil {
		t.Error("an unknown user was let in")
	}
}

func TestForcedCommand(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	m := l.machine("forced")
	m.AdminKeys = []string{`command="echo only this: $SSH_ORIGINAL_COMMAND" ` + l.public}
	l.start(m)
	if got := l.sh(m, "id"); got != "only this: id" {
		t.Errorf("%q", got)
	}
}

// session opens a session that the test closes.
func session(t *testing.T, c *ssh.Client) *ssh.Session {
	t.Helper()
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type counter int

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }

// expecter drives a terminal.
type expecter struct {
	t    *testing.T
	in   *os.File
	out  chan []byte
	seen []byte
}

func newExpecter(t *testing.T, screen *os.File) *expecter {
	e := &expecter{t: t, in: screen, out: make(chan []byte, 64)}
	go func() {
		defer close(e.out)
		for {
			buf := make([]byte, 4096)
			n, err := screen.Read(buf)
			if err != nil {
				return
			}
			e.out <- buf[:n]
		}
	}()
	return e
}

func (e *expecter) send(text string) {
	e.t.Helper()
	if _, err := e.in.WriteString(text); err != nil {
		e.t.Fatal(err)
	}
}

// expect waits until text has appeared after what was expected before.
func (e *expecter) expect(text string) {
	e.t.Helper()
	deadline := time.After(wait.Patience)
	for {
		if i := bytes.Index(e.seen, []byte(text)); i >= 0 {
			e.seen = e.seen[i+len(text):]
			return
		}
		select {
		case more, ok := <-e.out:
			if !ok {
				e.t.Fatalf("%q did not come before the end; the screen has %q", text, e.seen)
			}
			e.seen = append(e.seen, more...)
		case <-deadline:
			e.t.Fatalf("%q did not come; the screen has %q", text, e.seen)
		}
	}
}
