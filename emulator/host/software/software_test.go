package software_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/emulator/host/software"
	"github.com/azlin-dev/azlin/test/wait"
)

// machine is a VM's files without a VM.
type machine struct {
	t   *testing.T
	dir string
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{t: t, dir: t.TempDir()}
	m.write("etc/group", "root:x:0:\n")
	m.write("var/lib/dpkg/status", software.BaseStatus())
	return m
}

func (m *machine) write(name, content string) {
	m.t.Helper()
	path := filepath.Join(m.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) read(name string) string {
	m.t.Helper()
	data, err := os.ReadFile(filepath.Join(m.dir, name))
	if err != nil {
		m.t.Fatal(err)
	}
	return string(data)
}

// run runs a command line as user uid; what it prints and says comes together.
func (m *machine) run(uid int, line string) (int, string) {
	m.t.Helper()
	var out bytes.Buffer
	words := strings.Fields(line)
	s := software.System{
		Root: m.dir, Shim: "/shim", UID: uid, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out,
		Env: []string{"HOME=/root", "PIPX_HOME=/opt/pipx", "PIPX_BIN_DIR=/usr/local/bin"},
		Exec: func(path string, argv []string) error {
			out.WriteString("host's own: " + strings.Join(argv, " "))
			return nil
		},
	}
	return s.Run(words[0], words[1:]), out.String()
}

func TestPrograms(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		faults string
		before []string
		uid    int
		line   string
		code   int
		want   []string
	}{
		{name: "update", line: "apt-get update", want: []string{"Hit:1 ", "Reading package lists..."}},
		{name: "update, quiet", line: "apt-get -qq update"},
		{name: "update without a network", faults: "update network\n", line: "apt-get update", want: []string{"Err:1 ", "W: Failed to fetch", "Temporary failure resolving"}},
		{name: "update without a network, strictly", faults: "update network\n", line: "apt-get -o APT::Update::Error-Mode=any update", code: 100, want: []string{"E: Failed to fetch"}},
		{name: "update of a broken mirror", faults: "update fail\n", line: "apt-get update", code: 100, want: []string{"does not have a Release file"}},
		{name: "not root", uid: 1000, line: "apt-get install -y tree", code: 100, want: []string{"are you root?"}},
		{name: "install", line: "apt-get install -y gh", want: []string{"NEW packages will be installed:\n  gh\n", "Setting up gh (2.45.0-1ubuntu0.3)"}},
		{name: "with what it needs", line: "apt-get -y install golang-go", want: []string{"additional packages will be installed:\n  golang-1.22-go golang-1.22-src\n", "3 newly installed"}},
		{name: "again", before: []string{"apt-get install -y gh"}, line: "apt-get install gh", want: []string{"gh is already the newest version (2.45.0-1ubuntu0.3).", "0 newly installed"}},
		{name: "in the image", line: "apt-get install git", want: []string{"git is already the newest version"}},
		{name: "unknown", line: "apt-get install -y tree nonesuch", code: 100, want: []string{"E: Unable to locate package nonesuch"}},
		{name: "without being asked", line: "apt-get install npm", code: 1, want: []string{"Do you want to continue? [Y/n] Abort."}},
		{name: "broken", faults: "# x\ngh fail\n", line: "apt-get install -y gh", code: 100, want: []string{"dpkg: error processing archive", "E: Sub-process /usr/bin/dpkg returned an error code (1)"}},
		{name: "no network", faults: "gh network\n", line: "apt-get install -y gh", code: 100, want: []string{"Err:1 ", "E: Failed to fetch", "E: Unable to fetch some archives"}},
		{name: "no network, once", faults: "gh network 1\n", before: []string{"apt-get install -y gh"}, line: "apt-get install -y gh", want: []string{"Setting up gh"}},
		{name: "an operation of no such name", line: "apt-get frobnicate", code: 100, want: []string{"E: Invalid operation frobnicate"}},
		{name: "an option without its value", line: "apt-get install -o", code: 100, want: []string{"E: Option -o requires an argument."}},
		{name: "remove", before: []string{"apt-get install -y gh"}, line: "apt-get remove -y gh", want: []string{"Removing gh"}},
		{name: "policy", line: "apt-cache policy gh", want: []string{"Installed: (none)", "Candidate: 2.45.0"}},
		{name: "simulate", line: "apt-get install -s gh", want: []string{"1 newly installed"}},
		{name: "pipx before its package", line: "pipx install uv", code: 127, want: []string{"sudo apt install pipx"}},
		{name: "pipx", before: []string{"apt-get install -y pipx"}, line: "pipx install uv", want: []string{"installed package uv"}},
		{name: "pipx, what it does not know", before: []string{"apt-get install -y pipx"}, line: "pipx install x", code: 1, want: []string{"No matching distribution found for x"}},
		{name: "pipx without a network", faults: "uv network\n", before: []string{"apt-get install -y pipx"}, line: "pipx install uv", code: 1, want: []string{"Network is unreachable"}},
		{name: "pip", before: []string{"apt-get install -y python3-pip"}, line: "pip install six", code: 1, want: []string{"Network is unreachable"}},
		{name: "npm", before: []string{"apt-get install -y npm"}, line: "npm install left-pad", code: 1, want: []string{"ENETUNREACH"}},
		{name: "rustc too early", before: []string{"apt-get install -y rustup"}, line: "rustc --version", code: 1, want: []string{"run 'rustup default stable'"}},
		{name: "rustc", before: []string{"apt-get install -y rustup", "rustup default stable"}, line: "rustc --version", want: []string{"rustc 1."}},
		{name: "rustup without a network", faults: "rust-stable network\n", before: []string{"apt-get install -y rustup"}, line: "rustup default stable", code: 1, want: []string{"Temporary failure in name resolution"}},
		{name: "snap", line: "snap install go --classic", code: 1, want: []string{"Network is unreachable"}},
		{name: "curl outside", line: "curl -fsSL https://example.com/x", code: 7, want: []string{"Failed to connect to example.com port 443: Network is unreachable"}},
		{name: "curl outside, without a scheme", line: "curl example.com:8080", code: 7, want: []string{"example.com port 8080"}},
		{name: "curl at home", line: "curl http://127.0.0.1:8080/x", code: 126, want: []string{"host's own: curl http://127.0.0.1:8080/x"}},
		{name: "wget outside", line: "wget http://[2001:db8::1]/", code: 4, want: []string{"Network is unreachable"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			m.write("usr/bin/curl", "")
			m.write(software.FaultsFile, tt.faults)
			for _, line := range tt.before {
				m.run(0, line)
			}
			code, out := m.run(tt.uid, tt.line)
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			for _, want := range tt.want {
				if !strings.Contains(out, want) {
					t.Errorf("got\n%s\nwant %q", out, want)
				}
			}
			if tt.want == nil && out != "" {
				t.Errorf("it said %q", out)
			}
		})
	}
}

func TestInstallLeavesTraces(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	if code, out := m.run(0, "apt-get install -y docker.io"); code != 0 {
		t.Fatal(out)
	}
	for file, want := range map[string]string{
		"var/lib/dpkg/status":      "Package: docker.io\nStatus: install ok installed\n",
		"var/log/apt/history.log":  "Commandline: apt-get install -y docker.io\nInstall: ",
		"var/log/apt/term.log":     "Log started: ",
		"var/log/dpkg.log":         " status installed docker.io:",
		"etc/group":                "docker:x:990:",
		"usr/local/bin/containerd": "containerd 1.7.28",
	} {
		if !strings.Contains(m.read(file), want) {
			t.Errorf("%s lacks %q:\n%s", file, want, m.read(file))
		}
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(m.dir, "usr/local/bin/docker"), "--version").Output()
	if err != nil || !strings.HasPrefix(string(out), "Docker version 28") {
		t.Errorf("docker says %q, %v", out, err)
	}
	// A program of the host is left alone.
	m.write("usr/bin/jq", "")
	if err := os.Chmod(filepath.Join(m.dir, "usr/bin/jq"), 0o755); err != nil {
		t.Fatal(err)
	}
	if code, out := m.run(0, "apt-get install -y jq"); code != 0 {
		t.Fatal(out)
	}
	if _, err := os.Lstat(filepath.Join(m.dir, "usr/local/bin/jq")); err == nil {
		t.Error("a stand-in hides the host's own program")
	}
}

// TestLock has two installations at once: the second says who holds the lock, or waits for it. Locks of apt
// are of processes, so the first is one of its own.
func TestLock(t *testing.T) {
	t.Parallel()
	if os.Getenv("SOFTWARE_TEST_DIR") != "" {
		t.Skip("this is the other process")
	}
	m := newMachine(t)
	m.write(software.FaultsFile, "gh slow 300ms\n")
	ctx := t.Context()
	first := exec.CommandContext(ctx, os.Args[0], "-test.run=TestOtherProcess")
	first.Env = append(os.Environ(), "SOFTWARE_TEST_DIR="+m.dir)
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	var code int
	var out string
	wait.Until(t, "the other process has the lock", func() bool {
		code, out = m.run(0, "apt-get install -y tree")
		return code != 0
	})
	if code != 100 || !strings.Contains(out, "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process ") ||
		!strings.Contains(out, "is another process using it?") {
		t.Errorf("%d %s", code, out)
	}
	if code, out := m.run(0, "apt-get -o DPkg::Lock::Timeout=60 install -y jq"); code != 0 {
		t.Errorf("while waiting: %s", out)
	}
	if err := first.Wait(); err != nil {
		t.Error(err)
	}
	if status := m.read("var/lib/dpkg/status"); !strings.Contains(status, "Package: gh\n") || !strings.Contains(status, "Package: jq\n") {
		t.Error("one of the two is missing")
	}
}

func TestOtherProcess(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("SOFTWARE_TEST_DIR")
	if dir == "" {
		t.Skip("part of TestLock")
	}
	m := &machine{t: t, dir: dir}
	if code, out := m.run(0, "apt-get -o DPkg::Lock::Timeout=60 install -y gh"); code != 0 {
		t.Fatal(out)
	}
}

func TestLists(t *testing.T) {
	t.Parallel()
	if !slices.Contains(software.InImage(), "apt-get") || !slices.Contains(software.Guarded(), "npm") || software.Known("git") {
		t.Error(software.InImage(), software.Guarded())
	}
}

func FuzzFetch(f *testing.F) {
	f.Add("https://example.com")
	f.Add("127.0.0.1:80")
	f.Add("--url=http://x.y/")
	f.Fuzz(func(t *testing.T, arg string) {
		if strings.ContainsAny(arg, " \t\n\v\f\r\u0085\u00a0") || arg == "" {
			return
		}
		code, out := (&machine{t: t, dir: t.TempDir()}).run(0, "curl "+arg)
		if code == 126 && strings.HasPrefix(arg, "http://example.") {
			t.Errorf("%q was let through: %s", arg, out)
		}
	})
}
