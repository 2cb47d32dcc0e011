//go:build unix

package terminal_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/remote/terminal"
	"github.com/azlin-dev/azlin/test/wait"
)

func publicKey(t *testing.T, pair keypair.KeyPair) ssh.PublicKey {
	t.Helper()
	data, err := os.ReadFile(pair.Public)
	if err != nil {
		t.Fatal(err)
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(data)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// mux is a tmux server of this test's own.
type mux struct {
	t       *testing.T
	environ []string
}

// newMux starts one, and puts the desk inside it.
func newMux(t *testing.T, d *desk) mux {
	t.Helper()
	dir, err := os.MkdirTemp("", "mux-") //nolint:usetesting // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	m := mux{t, append(os.Environ(), "TMUX_TMPDIR="+dir, "TMUX=")}
	t.Cleanup(func() {
		m.do("kill-server")
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	m.do("-f", "/dev/null", "new-session", "-d", "-s", "main", "sleep 600")
	d.l.Environ = append(d.l.Environ, "TMUX_TMPDIR="+dir, "TMUX="+strings.TrimSpace(m.do("display-message", "-p", "-t", "main", "#{socket_path},#{pid},0")))
	look := d.l.Look
	d.l.Look = func(name string) (string, error) {
		if name == "tmux" {
			return exec.LookPath(name)
		}
		return look(name)
	}
	return m
}

func (m mux) do(args ...string) string {
	m.t.Helper()
	cmd := exec.Command("tmux", args...)
	cmd.Env = m.environ
	out, err := cmd.CombinedOutput()
	if err != nil && args[0] != "capture-pane" && args[0] != "kill-server" {
		m.t.Logf("tmux %q: %v: %s", args, err, out)
	}
	return string(out)
}

func (m mux) windows() string {
	return m.do("list-windows", "-t", "main", "-F", "#{window_name} #{pane_pid}")
}

func (m mux) until(what string, ok func() bool) {
	m.t.Helper()
	wait.Until(m.t, what, ok, m.windows)
}

// TestTmux opens windows of a real tmux.
func TestTmux(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("tmux is not installed")
	}
	d := newDesk(t, nil)
	m := newMux(t, &d)
	touched := filepath.Join(d.dir, "touched")
	for _, title := range []string{"dev:build", "#(touch " + touched + ")", "#{pane_pid}", "-n", "tail;", `x\;`, "it's", "%H #S"} {
		command := d.command(append(awkward(), title)...)
		command.Args = append([]string{"/bin/sh", "-c", `"$@"; exec sleep 600`, "sh"}, command.Args...)
		w, err := d.l.Open(t.Context(), command, terminal.Config{Title: title})
		if err != nil {
			t.Fatal(err)
		}
		var r ran
		d.read("ran", &r)
		if len(r.Args) == 0 || r.Args[len(r.Args)-1] != title || r.Var != "it's $HOME" {
			t.Errorf("%q: %+v", title, r)
		}
		if diff := cmp.Diff(awkward()[:28], r.Args[:28]); diff != "" {
			t.Error(diff)
		}
		if line := title + " " + strconv.Itoa(w.PID) + "\n"; w.App != terminal.Tmux || w.PID == 0 || !strings.Contains(m.windows(), line) {
			t.Errorf("%+v: no window %q among\n%s", w, line, m.windows())
		}
	}
	if _, err := os.Stat(touched); err == nil {
		t.Error("tmux ran what stood in a title")
	}
}

// TestXTerm opens a window of a real xterm on a real X server.
func TestXTerm(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"Xvfb", "xterm", "xwininfo"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(program, " is not installed")
		}
	}
	display := startX(t)
	d := newDesk(t, nil, "DISPLAY="+display)
	d.l.Look = exec.LookPath
	command := d.command(awkward()...)
	command.Args = append([]string{"/bin/sh", "-c", `"$@"; exec sleep 600`, "sh"}, command.Args...)
	const title = `it's "dev" \ $HOME;`
	w, err := d.l.Open(t.Context(), command, terminal.Config{App: terminal.XTerm, Title: title})
	if err != nil {
		t.Fatal(err)
	}
	process, err := os.FindProcess(w.PID)
	if err != nil || w.PID == 0 {
		t.Fatal(w, err)
	}
	defer func() { _ = process.Kill() }()
	var r ran
	d.read("ran", &r)
	if diff := cmp.Diff(append(awkward()[:len(awkward())-1], "\ufffd"), r.Args); diff != "" || r.Dir != d.dir || r.Var != "it's $HOME" {
		t.Errorf("%+v %s", r, diff)
	}
	wait.Until(t, "a window has the title", func() bool {
		out, err := exec.CommandContext(t.Context(), "xwininfo", "-display", display, "-root", "-tree").CombinedOutput()
		return err == nil && strings.Contains(string(out), `"`+title+`"`)
	})
	// The same on a display that is not there.
	d.l.Environ = append(d.l.Environ, "DISPLAY=:4711")
	if _, err := d.l.Open(t.Context(), command, terminal.Config{}); err == nil || !strings.Contains(err.Error(), "open display") {
		t.Error(err)
	}
}

// startX starts an X server on a display that it chooses.
func startX(t *testing.T) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	x := exec.CommandContext(t.Context(), "Xvfb", "-displayfd", "3", "-screen", "0", "640x480x24", "-nolisten", "tcp")
	x.ExtraFiles = []*os.File{w}
	if err := x.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Wait() }) // the end of the test's context ends it
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil || len(data) == 0 {
		t.Fatal("the X server did not start: ", err)
	}
	return fmt.Sprintf(":%s", strings.TrimSpace(string(data)))
}
