package repository_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/azlin-dev/azlin/emulator/host"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/repository"
	"github.com/azlin-dev/azlin/test/local/machine"
)

func TestMain(m *testing.M) {
	host.Main()
	os.Exit(m.Run())
}

func signer(t *testing.T) (ssh.Signer, ed25519.PrivateKey) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return s, private
}

// forge is a git server over SSH that lets one key in, and over HTTPS one token.
type forge struct {
	root   string // its repositories
	key    ssh.Signer
	admits ssh.PublicKey
	logins atomic.Int32
}

// bare makes a repository "p.git" with one commit under the forge's root.
func (f *forge) bare(t *testing.T) {
	t.Helper()
	f.root = t.TempDir()
	work := filepath.Join(f.root, "work")
	for _, args := range [][]string{
		{"init", "-q", "-b", "trunk", work},
		{"-C", work, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "--allow-empty", "-m", "first"},
		{"clone", "-q", "--bare", work, filepath.Join(f.root, "p.git")},
	} {
		if out, err := exec.CommandContext(t.Context(), "git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
	}
}

// serveSSH answers git-upload-pack and nothing else.
func (f *forge) serveSSH(t *testing.T) string {
	t.Helper()
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if bytes.Equal(key.Marshal(), f.admits.Marshal()) {
			f.logins.Add(1)
			return nil, nil
		}
		return nil, errors.New("unknown key")
	}}
	config.AddHostKey(f.key)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go f.session(conn, config)
		}
	}()
	return listener.Addr().String()
}

func (f *forge) session(conn net.Conn, config *ssh.ServerConfig) {
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for c := range channels {
		channel, requests, err := c.Accept()
		if err != nil {
			return
		}
		go func() {
			for r := range requests {
				var line struct{ Line string }
				if r.Type != "exec" || ssh.Unmarshal(r.Payload, &line) != nil || !strings.HasPrefix(line.Line, "git-upload-pack ") {
					_ = r.Reply(r.Type == "env", nil)
					continue
				}
				_ = r.Reply(true, nil)
				cmd := exec.Command("git-upload-pack", filepath.Join(f.root, "p.git"))
				cmd.Stdin, cmd.Stdout, cmd.Stderr = channel, channel, channel.Stderr()
				code := uint32(0)
				if cmd.Run() != nil {
					code = 1
				}
				_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{code}))
				_ = channel.Close()
			}
		}()
	}
}

// serveHTTPS serves the same over HTTPS to who knows the token, and returns its address and certificate.
func (f *forge) serveHTTPS(t *testing.T, token string) (address string, certificate []byte) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "git", "--exec-path").Output()
	if err != nil {
		t.Fatal(err)
	}
	git := &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(out)), "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + f.root, "GIT_HTTP_EXPORT_ALL=1"},
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != token {
			w.Header().Set("WWW-Authenticate", `Basic realm="forge"`)
			http.Error(w, "who are you", http.StatusUnauthorized)
			return
		}
		f.logins.Add(1)
		git.ServeHTTP(w, r)
	}))
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	certificate = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	return server.Listener.Addr().String(), certificate
}

// boot starts a VM and signs in, with an agent here that holds the keys of held besides.
func boot(t *testing.T, held ...ed25519.PrivateKey) *remote.Client {
	t.Helper()
	m := machine.Boot(t)
	m.AgentSocket = serveAgent(t, held)
	return m.Dial()
}

func serveAgent(t *testing.T, held []ed25519.PrivateKey) string {
	t.Helper()
	if len(held) == 0 {
		return ""
	}
	ring := agent.NewKeyring()
	for _, key := range held {
		if err := ring.Add(agent.AddedKey{PrivateKey: key}); err != nil {
			t.Fatal(err)
		}
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(ring, conn) }()
		}
	}()
	return listener.Addr().String()
}

func output(t *testing.T, c *remote.Client, line string) string {
	t.Helper()
	r, err := c.Output(t.Context(), line)
	if err != nil || !r.Success {
		t.Fatalf("%s: %v %+v", line, err, r)
	}
	return strings.TrimSpace(r.Stdout)
}

// nothingLeft looks for what a clone may have left on the VM beside the clone.
func nothingLeft(t *testing.T, c *remote.Client, secrets ...string) {
	t.Helper()
	for _, s := range append(secrets, "PRIVATE KEY-----") {
		if found := output(t, c, "grep -rIlF -e "+remote.Quote(s)+" ~ /tmp 2>/dev/null; true"); found != "" {
			t.Errorf("%q is left in %s", s, found)
		}
	}
	if left := output(t, c, "ls -A /tmp | grep '^tmp\\.' ; true"); left != "" {
		t.Errorf("left in /tmp: %s", left)
	}
}

// TestPrivateOverSSH lends the agent for the clone only, to a server whose host key is known here.
func TestPrivateOverSSH(t *testing.T) {
	t.Parallel()
	person, private := signer(t)
	server, _ := signer(t)
	f := &forge{key: server, admits: person.PublicKey()}
	f.bare(t)
	address := f.serveSSH(t)
	known := filepath.Join(t.TempDir(), "known_hosts")
	r, err := repository.Parse("ssh://git@"+address+"/p.git", "")
	if err != nil {
		t.Fatal(err)
	}
	client := boot(t, private)

	access := repository.Access{Agent: true, KnownHosts: []string{known}}
	if err := r.Check(t.Context(), access); errkind.Of(err) != errkind.Prerequisite || !strings.Contains(err.Error(), "is not known here") {
		t.Errorf("a server that nobody knows: %v", err)
	}
	if err := r.Check(t.Context(), repository.Access{}); errkind.Of(err) != errkind.Prerequisite || !strings.Contains(err.Error(), "ssh-agent") {
		t.Errorf("without an agent: %v", err)
	}
	line := func(key ssh.PublicKey, hashed bool) {
		t.Helper()
		name := knownhosts.Normalize(address)
		if hashed {
			name = knownhosts.HashHostname(name)
		}
		if err := os.WriteFile(known, []byte(name+" "+string(ssh.MarshalAuthorizedKey(key))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	other, _ := signer(t)
	line(other.PublicKey(), false)
	if err := r.Clone(t.Context(), client, access); errkind.Of(err) != errkind.Provisioning || !strings.Contains(err.Error(), "Host key verification failed") || f.logins.Load() != 0 {
		t.Errorf("an impostor: %v, %d logins", err, f.logins.Load())
	}
	line(server.PublicKey(), true)
	if err := r.Check(t.Context(), access); err != nil {
		t.Fatal(err)
	}
	if err := r.Clone(t.Context(), client, access); err != nil {
		t.Fatal(err)
	}
	if got := output(t, client, "git -C p log --format=%s; git -C p remote get-url origin"); got != "first\nssh://git@"+address+"/p.git" {
		t.Errorf("the clone: %q", got)
	}
	if sock := output(t, client, "echo $SSH_AUTH_SOCK"); sock != "" {
		t.Errorf("the agent is still lent: %s", sock)
	}
	nothingLeft(t, client)
	if err := r.Clone(t.Context(), client, access); err != nil {
		t.Error("a second time:", err)
	}
}

// TestPrivateOverHTTPS asks the GitHub CLI for a token when the server wants one, and leaves it nowhere.
func TestPrivateOverHTTPS(t *testing.T) {
	t.Parallel()
	const token = "gho_notasecretreally"
	f := &forge{}
	f.bare(t)
	address, certificate := f.serveHTTPS(t, token)
	client := boot(t)
	r, err := repository.Parse("https://"+address+"/p.git", "trunk")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Check(t.Context(), repository.Access{}); err != nil {
		t.Error("nothing can be known of an HTTPS URL beforehand:", err)
	}
	if _, err := client.Run(t.Context(), remote.Command{Line: "cat > ca.pem; git config --global http.sslCAInfo ~/ca.pem", Stdin: bytes.NewReader(certificate)}); err != nil {
		t.Fatal(err)
	}
	gh := filepath.Join(t.TempDir(), "gh")
	program := func(body string) {
		t.Helper()
		if err := os.WriteFile(gh, []byte("#!/bin/sh\n"+body), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for what, c := range map[string]struct {
		access repository.Access
		body   string
		says   string
		next   string
	}{
		"no gh":       {repository.Access{}, "", "gh is not installed", "gh auth login --hostname " + address},
		"no sign-in":  {repository.Access{GitHubCLI: gh}, "echo no oauth token >&2; exit 1", "not signed in", "gh auth login --hostname " + address},
		"odd answer":  {repository.Access{GitHubCLI: gh}, "echo two words", "not signed in", "gh auth login --hostname " + address},
		"wrong token": {repository.Access{GitHubCLI: gh}, "echo gho_wrong", "Authentication failed", ""},
	} {
		program(c.body)
		err := r.Clone(t.Context(), client, c.access)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", what, err)
		}
		if e, ok := errors.AsType[*errkind.Error](err); c.next != "" && (!ok || e.Next.Command != c.next || e.Kind != errkind.Permission) {
			t.Errorf("%s: %+v", what, e)
		}
		if err != nil && strings.Contains(err.Error(), "gho_") {
			t.Errorf("%s: the error shows the token: %v", what, err)
		}
	}
	program(`test "$*" = "auth token --hostname ` + address + `" && echo ` + token)
	if err := r.Clone(t.Context(), client, repository.Access{GitHubCLI: gh}); err != nil {
		t.Fatal(err)
	}
	if got := output(t, client, "git -C p log --format=%s; git -C p branch --show-current"); got != "first\ntrunk" || f.logins.Load() == 0 {
		t.Errorf("the clone: %q", got)
	}
	nothingLeft(t, client, token)
	if config := output(t, client, "cat p/.git/config"); strings.Contains(config, "helper") {
		t.Errorf("the helper stays in the clone's configuration:\n%s", config)
	}
}

// TestForgeKeys holds the built-in host keys against the fingerprints that the forges publish.
func TestForgeKeys(t *testing.T) {
	t.Parallel()
	published := map[string][]string{
		"github.com":        {"SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU", "SHA256:p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM"},
		"gitlab.com":        {"SHA256:eUXGGm1YGsMAS7vkcx6JOJdOGHPem5gQp4taiCfCLB8"},
		"bitbucket.org":     {"SHA256:ybgmFkzwOSotHTHLJgHO0QN8L0xErw6vd0VhFA9m3SM"},
		"ssh.dev.azure.com": {"SHA256:ohD8VZEXGWo6Ez8GSEJQ9WpafgLFsOfLOtGGQCQo6Og"},
	}
	data, err := os.ReadFile("forges.known_hosts")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string][]string{}
	for line := range strings.Lines(string(data)) {
		_, hosts, key, _, _, err := ssh.ParseKnownHosts([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		seen[hosts[0]] = append(seen[hosts[0]], ssh.FingerprintSHA256(key))
	}
	if diff := cmp.Diff(published, seen); diff != "" {
		t.Error(diff)
	}
	for _, url := range []string{"git@github.com:a/b.git", "ssh://git@GitLab.com/a/b", "git@ssh.dev.azure.com:v3/o/p/r"} {
		r, err := repository.Parse(url, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Check(t.Context(), repository.Access{Agent: true}); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// TestCloneBesideALostOne clones while an earlier clone of the same repository, whose connection was lost, goes on.
func TestCloneBesideALostOne(t *testing.T) {
	t.Parallel()
	c := boot(t)
	project := filepath.Join(t.TempDir(), "project")
	for _, args := range [][]string{
		{"init", "-q", project},
		{"-C", project, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "--allow-empty", "-m", "first"},
	} {
		if out, err := exec.CommandContext(t.Context(), "git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
	}
	r, err := repository.Parse("file://"+project, "")
	if err != nil {
		t.Fatal(err)
	}
	output(t, c, `printf '#!/bin/sh\nif [ "$1" = clone ]; then touch /tmp/cloning; sleep 1; fi; exec /usr/bin/git "$@"\n' | sudo tee /usr/local/bin/git >/dev/null; sudo chmod 755 /usr/local/bin/git`)
	first := make(chan error, 1)
	go func() { first <- r.Clone(t.Context(), c, repository.Access{}) }()
	output(t, c, "until [ -e /tmp/cloning ]; do sleep 0.05; done")
	if err := r.Clone(t.Context(), c, repository.Access{}); err != nil {
		t.Errorf("the second: %v", err)
	}
	if err := <-first; err != nil {
		t.Errorf("the first: %v", err)
	}
	if got := output(t, c, "git -C project log -1 --format=%s; ls -A | grep azlin-clone; true"); got != "first" {
		t.Errorf("on the VM: %s", got)
	}
}

// TestKeptRepository reads what was written of one, and checks it again.
func TestKeptRepository(t *testing.T) {
	t.Parallel()
	r, err := repository.Parse("ssh://git@example.org:2222/p.git", "b")
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back repository.Repository
	if err := json.Unmarshal(data, &back); err != nil || back != *r {
		t.Errorf("%s was read as %+v, %v; want %+v", data, back, err, *r)
	}
	if err := json.Unmarshal([]byte(`{"url":"-oProxyCommand=id"}`), &back); err == nil {
		t.Error("a bad URL was taken from a file")
	}
}
