package cloudinit_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm/cloudinit"
)

const (
	privateKey = "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n"
	publicKey  = "ssh-ed25519 AAAA"
)

func TestRenderWithoutTools(t *testing.T) {
	t.Parallel()
	got, err := cloudinit.Render(cloudinit.Config{HostKeyPrivate: privateKey, HostKeyPublic: publicKey, Tools: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	want := `#cloud-config
ssh_deletekeys: true
ssh_keys:
  ed25519_private: |
    -----BEGIN OPENSSH PRIVATE KEY-----
    abc
    -----END OPENSSH PRIVATE KEY-----
  ed25519_public: ssh-ed25519 AAAA
`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// received is a part as a mail reader sees it.
type received struct{ kind, name, merge, content string }

// unpack reads a document with the standard library's mail reader.
func unpack(t *testing.T, data []byte) []received {
	t.Helper()
	if bytes.HasPrefix(data, []byte("#cloud-config")) {
		return []received{{kind: "text/cloud-config", content: string(data)}}
	}
	m, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	var parts []received
	reader := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			return parts
		}
		if err != nil {
			t.Fatal(err)
		}
		var body io.Reader = p
		if p.Header.Get("Content-Transfer-Encoding") == "base64" {
			body = base64.NewDecoder(base64.StdEncoding, p)
		}
		content, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		kind, _, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, received{kind, p.FileName(), p.Header.Get("Merge-Type"), string(content)})
	}
}

func TestRenderParts(t *testing.T) {
	t.Parallel()
	extra := "#cloud-config\npackages: [htop]\n# Grüße\n"
	got, err := cloudinit.Render(cloudinit.Config{
		HostKeyPrivate: privateKey, HostKeyPublic: publicKey, User: "ann", Tools: []string{"docker", "git"},
		StartupScript: "echo ready\n", Extra: []byte(extra),
	})
	if err != nil {
		t.Fatal(err)
	}
	parts := unpack(t, got)
	var names []string
	for _, p := range parts {
		names = append(names, p.kind+" "+p.name)
	}
	want := []string{
		"text/cloud-config azlin.yaml", "text/x-shellscript-per-boot azlin-tools", "text/cloud-config operator.yaml",
		"text/x-shellscript zz-azlin-startup",
	}
	if !slices.Equal(names, want) {
		t.Fatalf("got %q, want %q", names, want)
	}
	if parts[2].content != extra || parts[2].merge == "" {
		t.Errorf("the operator's file: %q", parts[2])
	}
	for _, line := range []string{"user='ann'", "tools='git docker'", "startup=true", `install_docker() { packages docker.io docker-buildx docker-compose-v2 && usermod`} {
		if !strings.Contains(parts[1].content, line) {
			t.Errorf("the script does not say %q", line)
		}
	}
	if strings.Contains(parts[1].content, "install_rust()") {
		t.Error("a tool that was not asked for")
	}
	for _, file := range []string{"/etc/tmux.conf", "/var/lib/azlin/startup-script"} {
		if !strings.Contains(parts[0].content, file) {
			t.Errorf("%s is not written", file)
		}
	}
	again, err := cloudinit.Render(cloudinit.Config{
		HostKeyPrivate: privateKey, HostKeyPublic: publicKey, User: "ann", Tools: []string{"docker", "git"},
		StartupScript: "echo ready\n", Extra: []byte(extra),
	})
	if err != nil || !bytes.Equal(got, again) {
		t.Errorf("the same twice: %v", err)
	}
}

func TestRenderRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		config cloudinit.Config
		want   string
	}{
		"half a key":             {cloudinit.Config{HostKeyPublic: publicKey}, "two halves"},
		"a tool of no such name": {cloudinit.Config{Tools: []string{"emacs"}}, `no tool "emacs"; there are git, tmux`},
		"too large":              {cloudinit.Config{Extra: []byte("#!/bin/sh\n" + strings.Repeat("x", cloudinit.MaxSize))}, "Azure takes 65535"},
		"too large together":     {cloudinit.Config{StartupScript: strings.Repeat("echo ready\n", 5800)}, "63800 from the startup script"},
		"binary":                 {cloudinit.Config{Extra: []byte("#!\xff")}, "not text"},
		"neither":                {cloudinit.Config{Extra: []byte("packages: [htop]\n")}, `the first line must be #cloud-config`},
		"other words":            {cloudinit.Config{Extra: []byte("#cloud-config-archive\n- x\n")}, `the first line must be #cloud-config`},
		"no YAML":                {cloudinit.Config{Extra: []byte("#cloud-config\npackages: [\n")}, "cloud-init file: yaml: line"},
		"a list":                 {cloudinit.Config{Extra: []byte("#cloud-config\n- a\n")}, "line 2: want keys and values"},
		"nothing":                {cloudinit.Config{Extra: []byte("#cloud-config\n# x\n")}, "nothing in it"},
		"a key twice":            {cloudinit.Config{Extra: []byte("#cloud-config\nruncmd: [a]\nruncmd: [b]\n")}, "line 3: runcmd is there twice"},
		"our host key":           {cloudinit.Config{Extra: []byte("#cloud-config\nssh_keys: {}\n")}, "line 2: ssh_keys cannot be set"},
		"our host key, merged":   {cloudinit.Config{Extra: []byte("#cloud-config\nx: &a {ssh_keys: {}}\n<<: *a\n")}, "ssh_keys cannot be set"},
		"merging":                {cloudinit.Config{Extra: []byte("#cloud-config\nmerge_how: replace\n")}, "line 2: merge_how cannot be set"},
		"an alias to nothing":    {cloudinit.Config{Extra: []byte("#cloud-config\na: *b\n")}, "unknown anchor"},
		"a script with a NUL":    {cloudinit.Config{StartupScript: "echo\x00"}, "NUL"},
		"an empty script":        {cloudinit.Config{StartupScript: " \n"}, "it is empty"},
		"a strange user":         {cloudinit.Config{User: "a b"}, "not a login name"},
	} {
		_, err := cloudinit.Render(test.config)
		if errkind.Of(err) != errkind.Invalid || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

func TestTools(t *testing.T) {
	t.Parallel()
	word := regexp.MustCompile(`^[a-z]+$`) // the script relies on it
	for _, tool := range cloudinit.Tools() {
		if !word.MatchString(tool.Name) || tool.Title == "" || tool.About == "" || len(tool.Packages) == 0 || tool.Version == "" {
			t.Errorf("%+v", tool)
		}
	}
	for _, want := range []string{"docker", "az", "gh", "git", "nodejs", "python", "rust", "go", "dotnet", "uv", "tmux", "ripgrep"} {
		if !slices.Contains(cloudinit.ToolNames(), want) {
			t.Errorf("%s is missing", want)
		}
	}
	some, err := cloudinit.SelectTools([]string{"uv", "git", "uv"})
	if err != nil || len(some) != 2 || some[0].Name != "git" {
		t.Errorf("got %v %v", some, err)
	}
}

// TestScriptsAreShell asks the shell whether it can read what is run on the VM.
func TestScriptsAreShell(t *testing.T) {
	t.Parallel()
	doc, err := cloudinit.Render(cloudinit.Config{User: "ann", StartupScript: "true"})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range unpack(t, doc) {
		if !strings.HasPrefix(p.kind, "text/x-shellscript") {
			continue
		}
		cmd := exec.CommandContext(t.Context(), "sh", "-n")
		cmd.Stdin = strings.NewReader(p.content)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", p.name, err, out)
		}
	}
}

// FuzzRender checks that nothing in a value can become a key of the document or a part of its own.
func FuzzRender(f *testing.F) {
	f.Add("key\n", "pub", "echo\n", []byte("#cloud-config\na: b\n"))
	f.Add("a: b\nruncmd: [x]", "#", "#!/bin/sh\n\x85\u2028\xff", []byte("#!/bin/sh\n--azlin\n"))
	f.Add("a\r\n", "\t", "--azlin-\nContent-Type: text/plain\n\nx", []byte("#cloud-config\r\nruncmd: [[a, b]]"))
	f.Fuzz(func(t *testing.T, private, public, script string, extra []byte) {
		if private == "" || public == "" {
			return
		}
		got, err := cloudinit.Render(cloudinit.Config{
			HostKeyPrivate: private, HostKeyPublic: public, StartupScript: script, Extra: extra, Tools: []string{},
		})
		if err != nil {
			return // too large, not valid, or bytes that YAML cannot hold
		}
		parts := unpack(t, got)
		var back struct {
			SSHKeys    map[string]string                                       `yaml:"ssh_keys"`
			WriteFiles []struct{ Path, Content, Encoding, Permissions string } `yaml:"write_files"`
			Rest       map[string]any                                          `yaml:",inline"`
		}
		if err := yaml.Unmarshal([]byte(parts[0].content), &back); err != nil {
			t.Fatalf("not YAML: %v\n%s", err, got)
		}
		for key := range back.Rest {
			if key != "ssh_deletekeys" {
				t.Errorf("a value became the key %q", key)
			}
		}
		if back.SSHKeys["ed25519_private"] != private || back.SSHKeys["ed25519_public"] != public {
			t.Errorf("changed on the way: %q", back)
		}
		want := 1
		if script != "" {
			want += 2
			content := back.WriteFiles[0].Content
			if back.WriteFiles[0].Encoding == "b64" {
				plain, err := base64.StdEncoding.DecodeString(content)
				if err != nil {
					t.Fatal(err)
				}
				content = string(plain)
			}
			if !strings.HasSuffix(content, script) {
				t.Errorf("the script %q became %q", script, content)
			}
		}
		if len(extra) > 0 {
			want++
			if !slices.ContainsFunc(parts, func(p received) bool { return p.content == string(extra) }) {
				t.Errorf("the file %q is not in %q", extra, parts)
			}
		}
		if len(parts) != want {
			t.Errorf("%d parts, want %d", len(parts), want)
		}
	})
}
