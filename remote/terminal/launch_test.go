//go:build unix

package terminal_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/config"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/remote/knownhosts"
	"github.com/azlin-dev/azlin/remote/terminal"
	"github.com/azlin-dev/azlin/test/wait"
)

// desk is a machine on which some terminals are installed.
type desk struct {
	t   *testing.T
	dir string
	l   terminal.Launcher
}

func newDesk(t *testing.T, installed []string, environ ...string) desk {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(installed, "record") {
		if err := os.Symlink(self, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return desk{t, dir, terminal.Launcher{
		OS: "linux", Patience: time.Minute,
		Environ: append([]string{"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "FAKE_OUT=" + filepath.Join(dir, "window"), "TMPDIR=" + os.TempDir()}, environ...),
		Look: func(name string) (string, error) {
			path := filepath.Join(dir, name)
			_, err := os.Stat(path)
			return path, err
		},
	}}
}

// command records its arguments.
func (d desk) command(args ...string) terminal.Command {
	return terminal.Command{
		Args: append([]string{filepath.Join(d.dir, "record")}, args...), Dir: d.dir,
		Env: []string{"RECORD_OUT=" + filepath.Join(d.dir, "ran"), "A_SECRET=it's $HOME"},
	}
}

// outcome waits until the command has run, and reads how the window looked.
func (d desk) outcome() (s shown, r ran) {
	d.t.Helper()
	d.read("ran", &r)
	d.read("window", &s)
	return s, r
}

func (d desk) read(name string, into any) {
	d.t.Helper()
	path := filepath.Join(d.dir, name)
	var data []byte
	wait.Until(d.t, path+" is there", func() bool {
		var err error
		data, err = os.ReadFile(path)
		return err == nil
	})
	if err := json.Unmarshal(data, into); err != nil {
		d.t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		d.t.Fatal(err)
	}
}

// awkward are arguments that some shell or terminal would make something else of.
func awkward() []string {
	return []string{
		"plain", "", "two words", "$HOME", "`id`", "$(id)", "a;b", "tail;", `back\slash`, `\\`, `quo"te`, "apo'strophe", "new\nline", "tab\t",
		"*", "~", "!!", "-e", "--", "--title=x", "#{pane_pid}", "%n", "A=b", "ü€😀", "@selection", "{}", "&& id", "\x1b]2;x\x07", "\x80",
	}
}

// TestEveryTerminal opens a window, and a tab where there are some, of every terminal: the command gets exactly its
// arguments, its environment and its directory, and the window has its title.
func TestEveryTerminal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		app     terminal.App
		program string
		environ []string
		os      string
		tabs    bool
		title   string // what becomes of the title below; empty: itself
	}{
		{app: terminal.ITerm, program: "osascript", os: "darwin", environ: []string{"TERM_PROGRAM=iTerm.app"}, tabs: true},
		{app: terminal.AppleTerminal, program: "osascript", os: "darwin"},
		{app: terminal.GNOMETerminal, environ: []string{"WAYLAND_DISPLAY=wayland-0"}, tabs: true},
		{app: terminal.Konsole, environ: []string{"DISPLAY=:0"}, tabs: true, title: `it's "dev" \ #{x} $HOME  n`},
		{app: terminal.XTerm, environ: []string{"DISPLAY=:0"}},
		{app: terminal.Alacritty, environ: []string{"DISPLAY=:0"}},
		{app: terminal.Kitty, environ: []string{"DISPLAY=:0", "KITTY_LISTEN_ON=unix:/tmp/kitty"}, tabs: true},
		{app: terminal.WezTerm, environ: []string{"DISPLAY=:0", "WEZTERM_PANE=3"}, tabs: true, title: "-"},
		{app: terminal.WindowsTerminal, program: "wt.exe", environ: []string{"WSL_DISTRO_NAME=Ubuntu-24.04"}, tabs: true, title: `it's  dev    #{x} $HOME  n`},
	} {
		t.Run(string(c.app), func(t *testing.T) {
			t.Parallel()
			program := c.program
			if program == "" {
				program = string(c.app)
			}
			d := newDesk(t, []string{program}, c.environ...)
			if c.os != "" {
				d.l.OS = c.os
			}
			const title = "it's \"dev\" \\ #{x} $HOME\n;%n\x1b"
			want := strings.NewReplacer("\n", "", "\x1b", "").Replace(title)
			switch c.title {
			case "":
			case "-": // the shell sets it
				want = ""
			default:
				want = c.title
			}
			for _, tab := range []bool{false, true} {
				w, err := d.l.Open(t.Context(), d.command(awkward()...), terminal.Config{App: c.app, Title: title, NewTab: tab})
				if err != nil {
					t.Fatal(err)
				}
				s, r := d.outcome()
				if w.App != c.app || s.App != program || s.Title != want || s.Tab != (tab && c.tabs) {
					t.Errorf("tab %v: %+v of %+v, want the title %q", tab, s, w, want)
				}
				// A JSON text holds no bytes that are no UTF-8.
				if diff := cmp.Diff(append(awkward()[:len(awkward())-1], "\ufffd"), r.Args); diff != "" {
					t.Errorf("tab %v: %s", tab, diff)
				}
				if r.Var != "it's $HOME" || r.Dir != d.dir {
					t.Errorf("tab %v: %+v", tab, r)
				}
			}
			if _, err := d.l.Open(t.Context(), d.command(), terminal.Config{App: c.app}); err != nil {
				t.Fatal(err)
			}
			if s, _ := d.outcome(); s.Title != "" {
				t.Errorf("without a title: %+v", s)
			}
		})
	}
}

func TestWindowOrTab(t *testing.T) {
	t.Parallel()
	if !(terminal.Config{}).NewWindow() || (terminal.Config{NewTab: true}).NewWindow() {
		t.Error("a window is the default, and a tab is none")
	}
}

// TestOrder shows which terminals are offered where.
func TestOrder(t *testing.T) {
	t.Parallel()
	all := []string{"gnome-terminal", "konsole", "xterm", "alacritty", "kitty", "wezterm", "tmux", "wt.exe", "osascript"}
	for name, c := range map[string]struct {
		os        string
		installed []string
		environ   []string
		preferred terminal.App
		want      string
	}{
		"no display":               {installed: all},
		"inside tmux only":         {installed: all, environ: []string{"TMUX=/tmp/x,1,0"}, want: "tmux"},
		"a desktop":                {installed: all, environ: []string{"DISPLAY=:0"}, want: "gnome-terminal konsole kitty alacritty wezterm xterm"},
		"little installed":         {installed: []string{"xterm"}, environ: []string{"DISPLAY=:0"}, want: "xterm"},
		"nothing installed":        {environ: []string{"DISPLAY=:0"}},
		"in kitty":                 {installed: all, environ: []string{"DISPLAY=:0", "KITTY_WINDOW_ID=1"}, want: "kitty gnome-terminal konsole alacritty wezterm xterm"},
		"in tmux in alacritty":     {installed: all, environ: []string{"DISPLAY=:0", "ALACRITTY_WINDOW_ID=1", "TMUX=x"}, want: "tmux alacritty gnome-terminal konsole kitty wezterm xterm"},
		"preferred":                {installed: all, environ: []string{"DISPLAY=:0", "KONSOLE_VERSION=1"}, preferred: terminal.XTerm, want: "xterm konsole gnome-terminal kitty alacritty wezterm"},
		"preferred, not installed": {installed: []string{"xterm"}, environ: []string{"DISPLAY=:0"}, preferred: terminal.Kitty, want: "xterm"},
		"macOS":                    {os: "darwin", installed: []string{"osascript"}, want: "terminal"},
		"macOS in iTerm":           {os: "darwin", installed: all, environ: []string{"TERM_PROGRAM=iTerm.app"}, want: "iterm terminal gnome-terminal konsole kitty alacritty wezterm xterm"},
		"WSL":                      {installed: []string{"wt.exe"}, environ: []string{"WSL_DISTRO_NAME=Ubuntu"}, want: "windows-terminal"},
		"WSL in Windows Terminal":  {installed: []string{"wt.exe", "xterm"}, environ: []string{"WSL_DISTRO_NAME=Ubuntu", "WT_SESSION=1", "DISPLAY=:0"}, want: "windows-terminal xterm"},
		"GNOME, XTerm":             {installed: all, environ: []string{"DISPLAY=:0", "GNOME_TERMINAL_SCREEN=1", "XTERM_VERSION=1", "WEZTERM_PANE=0"}, want: "wezterm gnome-terminal xterm konsole kitty alacritty"},
		"Terminal.app":             {os: "darwin", installed: []string{"osascript"}, environ: []string{"TERM_PROGRAM=Apple_Terminal"}, want: "terminal"},
	} {
		d := newDesk(t, c.installed, c.environ...)
		d.l.Preferred = c.preferred
		if c.os != "" {
			d.l.OS = c.os
		}
		var got []string
		for _, a := range d.l.Available() {
			got = append(got, string(a))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
	d := newDesk(t, []string{"osascript"})
	d.l.OS = "darwin"
	if err := os.MkdirAll(filepath.Join(d.dir, "Applications", "iTerm.app"), 0o700); err != nil {
		t.Fatal(err)
	}
	if a := d.l.Available(); len(a) != 2 || a[0] != terminal.ITerm {
		t.Errorf("iTerm in ~/Applications: %v", a)
	}
}

// TestNamesAreTheConfigurations holds the names against those that the configuration admits.
func TestNamesAreTheConfigurations(t *testing.T) {
	t.Parallel()
	l := terminal.Launcher{OS: "linux"}
	for _, name := range config.Terminals() {
		if _, err := l.Open(t.Context(), terminal.Command{Args: []string{"true"}}, terminal.Config{App: terminal.App(name)}); err == nil || strings.Contains(err.Error(), "no terminal of that name") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRefusals shows what is said when no window opens.
func TestRefusals(t *testing.T) {
	t.Parallel()
	refuse := func(d desk, c terminal.Config, kind errkind.Kind, want string) {
		t.Helper()
		_, err := d.l.Open(t.Context(), d.command(), c)
		if errkind.Of(err) != kind || !strings.Contains(err.Error(), want) || kind == errkind.Prerequisite && !errors.Is(err, terminal.ErrLauncher) {
			t.Errorf("%v (%s), want %s", err, errkind.Of(err), want)
		}
	}
	refuse(newDesk(t, nil), terminal.Config{}, errkind.Prerequisite, "DISPLAY and WAYLAND_DISPLAY are not set), and this shell is not inside tmux")
	refuse(newDesk(t, nil, "DISPLAY=:0"), terminal.Config{}, errkind.Prerequisite, "none of gnome-terminal, konsole, kitty, alacritty, wezterm, xterm is installed")
	refuse(newDesk(t, nil, "DISPLAY=:0"), terminal.Config{App: terminal.XTerm}, errkind.Prerequisite, "xterm is not installed (Debian, Ubuntu: apt install xterm)")
	refuse(newDesk(t, nil, "DISPLAY=:0"), terminal.Config{App: terminal.WezTerm}, errkind.Prerequisite, "https://wezterm.org")
	refuse(newDesk(t, nil), terminal.Config{App: terminal.Tmux}, errkind.Prerequisite, "not inside tmux")
	refuse(newDesk(t, nil), terminal.Config{App: terminal.ITerm}, errkind.Prerequisite, "macOS only")
	refuse(newDesk(t, nil), terminal.Config{App: "emacs"}, errkind.Prerequisite, "it knows iterm, ")
	refuse(newDesk(t, nil, "WSL_DISTRO_NAME=x"), terminal.Config{App: terminal.WindowsTerminal}, errkind.Prerequisite, "wt.exe is not installed, or Windows' programs")
	mac := newDesk(t, []string{"osascript"})
	mac.l.OS = "darwin"
	refuse(mac, terminal.Config{App: terminal.ITerm}, errkind.Prerequisite, "brew install --cask iterm2")
	refuse(mac, terminal.Config{App: terminal.Kitty}, errkind.Prerequisite, "brew install kitty")
	windows := newDesk(t, nil)
	windows.l.OS = "windows"
	refuse(windows, terminal.Config{}, errkind.Prerequisite, "azlin opens windows on Linux")

	d := newDesk(t, []string{"xterm"}, "DISPLAY=:0", "FAKE_FAILS=1")
	refuse(d, terminal.Config{}, errkind.Prerequisite, "it ended without opening one: cannot open display")
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "azlin-window-*")); err == nil && len(left) > 8 { // other tests have theirs
		t.Errorf("left behind: %q", left)
	}

	// What is refused before anything is started.
	for _, c := range []terminal.Command{{}, {Args: []string{"a\x00b"}}, {Args: []string{"true"}, Env: []string{"A B=c"}}} {
		if _, err := d.l.Open(t.Context(), c, terminal.Config{}); errkind.Of(err) != errkind.Invalid {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// silentTerminal opens no window and says nothing.
func silentTerminal(t *testing.T, d desk) {
	t.Helper()
	if err := os.Remove(filepath.Join(d.dir, "xterm")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.dir, "xterm"), []byte("#!/bin/sh\nexec sleep 600\n"), 0o700); err != nil {
		t.Fatal(err)
	}
}

// TestPatience gives a terminal up that opens no window, and one whose person has no more time.
func TestPatience(t *testing.T) {
	t.Parallel()
	d := newDesk(t, []string{"xterm"}, "DISPLAY=:0")
	silentTerminal(t, d)
	d.l.Patience = 50 * time.Millisecond
	if _, err := d.l.Open(t.Context(), d.command(), terminal.Config{}); errkind.Of(err) != errkind.Prerequisite || !strings.Contains(err.Error(), "no window was there after 50ms") {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, context.Canceled)
	defer cancel()
	d.l.Patience = time.Minute
	if _, err := d.l.Open(ctx, d.command(), terminal.Config{}); errkind.Of(err) != errkind.Cancelled {
		t.Error(err)
	}
}

// TestFallBack tries the next terminal when one does not open.
func TestFallBack(t *testing.T) {
	t.Parallel()
	d := newDesk(t, []string{"xterm", "kitty"}, "DISPLAY=:0")
	silentTerminal(t, d)
	if err := os.WriteFile(filepath.Join(d.dir, "xterm"), []byte("#!/bin/sh\necho no >&2; exit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	d.l.Preferred = terminal.XTerm
	w, err := d.l.Open(t.Context(), d.command("x"), terminal.Config{})
	if err != nil || w.App != terminal.Kitty {
		t.Fatalf("%+v, %v", w, err)
	}
	if s, r := d.outcome(); s.App != "kitty" || len(r.Args) != 1 {
		t.Errorf("%+v %+v", s, r)
	}
}

// TestLaunch opens a window with ssh as the reference has it.
func TestLaunch(t *testing.T) {
	t.Parallel()
	d := newDesk(t, []string{"xterm"}, "DISPLAY=:0", "RECORD_OUT=")
	d.l.Environ[len(d.l.Environ)-1] = "RECORD_OUT=" + filepath.Join(d.dir, "ran")
	if _, err := d.l.Launch(t.Context(), remote.Interactive{}, terminal.Config{}); errkind.Of(err) != errkind.HostKey {
		t.Errorf("without a host key: %v", err)
	}
	key, err := keypair.GenerateKeyPair(d.dir, "key")
	if err != nil {
		t.Fatal(err)
	}
	in := remote.Interactive{
		Host:       remote.Host{Name: "dev", VMID: "id", Address: "20.12.34.56", KeyPath: key.Private, HostKey: publicKey(t, key)},
		KnownHosts: knownhosts.File{Path: filepath.Join(d.dir, "known hosts")}, Session: "work",
	}
	if _, err := d.l.Launch(t.Context(), in, terminal.Config{App: terminal.XTerm, Title: "dev"}); errkind.Of(err) != errkind.Prerequisite || !strings.Contains(err.Error(), "ssh is not installed") {
		t.Errorf("without ssh: %v", err)
	}
	look := d.l.Look
	d.l.Look = func(name string) (string, error) {
		if name == "ssh" {
			name = "record"
		}
		return look(name)
	}
	if _, err := d.l.Launch(t.Context(), in, terminal.Config{App: terminal.XTerm, Title: "dev"}); err != nil {
		t.Fatal(err)
	}
	s, r := d.outcome()
	want, err := in.Args()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, r.Args); diff != "" || s.Title != "dev" {
		t.Errorf("%+v %s", s, diff)
	}
}

// TestHold keeps a window open whose command failed, until Enter is pressed.
func TestHold(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("tmux is not installed")
	}
	d := newDesk(t, nil)
	m := newMux(t, &d)
	command := d.command("x")
	command.HoldOn = 255
	if _, err := d.l.Open(t.Context(), command, terminal.Config{Title: "fine"}); err != nil {
		t.Fatal(err)
	}
	var r ran
	d.read("ran", &r)
	m.until("the window has closed", func() bool { return !strings.Contains(m.windows(), "fine") })
	command.Env = append(command.Env, "RECORD_FAILS=1")
	if _, err := d.l.Open(t.Context(), command, terminal.Config{Title: "failing"}); err != nil {
		t.Fatal(err)
	}
	m.until("it asks for Enter", func() bool {
		return strings.Contains(m.do("capture-pane", "-p", "-t", "failing"), "Press Enter to close")
	})
	m.do("send-keys", "-t", "failing", "Enter")
	m.until("it has closed", func() bool { return !strings.Contains(m.windows(), "failing") })
}
