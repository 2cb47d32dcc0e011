package tunnel_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote/tunnel"
)

// hold is a process with a tunnel's record, until it is told to end.
func hold(dir, name string) {
	c, err := tunnel.Store{Dir: dir}.Claim(name)
	if err == nil {
		err = c.Save(tunnel.Record{Name: name, VM: "dev", PID: os.Getpid(), Opened: time.Now().UTC(), State: tunnel.State{Phase: tunnel.Connected}})
	}
	if err != nil {
		_, _ = io.WriteString(os.Stdout, err.Error()+"\n")
		os.Exit(1)
	}
	_, _ = io.WriteString(os.Stdout, "held\n")
	<-time.After(time.Hour) // or until it is killed
}

// holder starts such a process.
func holder(t *testing.T, s tunnel.Store, name string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "hold", s.Dir, name)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 5)
	if _, err := io.ReadFull(out, line); err != nil || string(line) != "held\n" {
		t.Fatalf("%q, %v", line, err)
	}
	return cmd
}

func TestStore(t *testing.T) {
	t.Parallel()
	s := tunnel.Store{Dir: filepath.Join(t.TempDir(), "forwards")}
	if l, err := s.List(); err != nil || len(l.Tunnels)+len(l.Killed) != 0 {
		t.Errorf("nothing: %+v, %v", l, err)
	}
	if err := s.End(t.Context(), "dev"); errkind.Of(err) != errkind.NotFound || !errors.Is(err, tunnel.ErrTunnel) {
		t.Errorf("nothing: %v", err)
	}
	for _, bad := range []string{"", "..", "a/b", ".x", strings.Repeat("x", 81)} {
		if _, err := s.Claim(bad); errkind.Of(err) != errkind.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
		if err := s.End(t.Context(), bad); errkind.Of(err) != errkind.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}

	// One that lives, one that is killed, one that has failed, one that was asked to end.
	alive, killed := holder(t, s, "alive"), holder(t, s, "killed")
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = killed.Wait()
	c, err := s.Claim("failed")
	if err != nil {
		t.Fatal(err)
	}
	r := tunnel.Record{Name: "failed", Forwards: []tunnel.Forward{{LocalPort: 1, Host: "h", Port: 2}}, State: tunnel.State{Phase: tunnel.Failed, LastError: "why"}}
	if err := c.Save(r); err != nil || !c.Exists() || c.Name != "failed" {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(s.Dir, "failed", "tunnel.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if err := c.Release(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Claim("alive"); errkind.Of(err) != errkind.Conflict {
		t.Errorf("a name that is taken: %v", err)
	}
	l, err := s.List()
	if err != nil || len(l.Tunnels) != 2 || l.Tunnels[0].Name != "alive" || l.Tunnels[0].PID != alive.Process.Pid || l.Tunnels[1].LastError != "why" ||
		len(l.Killed) != 1 || l.Killed[0].Name != "killed" {
		t.Errorf("%+v, %v", l, err)
	}
	if l, err = s.List(); err != nil || len(l.Killed) != 0 || len(l.Tunnels) != 2 {
		t.Errorf("again: %+v, %v", l, err)
	}
	go func() { _ = alive.Wait() }()
	for _, name := range []string{"alive", "failed"} {
		if err := s.End(t.Context(), name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if left, err := os.ReadDir(s.Dir); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestRecordsThatAreGone: a process whose record somebody removed cannot save it, and knows.
func TestRecordsThatAreGone(t *testing.T) {
	t.Parallel()
	s := tunnel.Store{Dir: t.TempDir()}
	c, err := s.Claim("x")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(s.Dir, "x")); err != nil {
		t.Fatal(err)
	}
	if err := c.Save(tunnel.Record{}); !errors.Is(err, fs.ErrNotExist) || c.Exists() {
		t.Error(err)
	}
	if err := c.Remove(); err != nil {
		t.Error(err)
	}
}

// TestDamagedRecord: a record that cannot be read is told, the others are shown.
func TestDamagedRecord(t *testing.T) {
	t.Parallel()
	s := tunnel.Store{Dir: t.TempDir()}
	for _, name := range []string{"bad", "good"} {
		c, err := s.Claim(name)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Remove() }()
		if err := c.Save(tunnel.Record{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(s.Dir, "bad", "*tunnel.json*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(files, filepath.Join(s.Dir, "bad", ".tunnel.json.copy")) {
		if err := os.WriteFile(f, []byte("nonsense"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, err := s.List()
	if err == nil || !strings.Contains(err.Error(), "record of the tunnel bad") || len(l.Tunnels) != 1 || l.Tunnels[0].Name != "good" {
		t.Errorf("%+v, %v", l, err)
	}
}
