package cloudinit_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/azlin-dev/azlin/emulator/host/cloudinit"
)

const everything = `#cloud-config
hostname: box
timezone: Europe/Berlin
final_message: ready after $UPTIME
ssh_deletekeys: false
ssh_authorized_keys: [ssh-ed25519 AAAA one]
ssh_keys:
  ed25519_private: |
    -----BEGIN X-----
    -----END X-----
  ed25519_public: ssh-ed25519 BBBB
users:
  - default
  - name: dev
    gecos: A Developer
    shell: /bin/sh
    groups: [docker, adm]
    sudo: ALL=(ALL) NOPASSWD:ALL
    ssh_authorized_keys: [ssh-ed25519 CCCC two]
  - {name: plain, groups: "a, b", sudo: false, passwd: x}
write_files:
  - {path: /a, content: hello, permissions: '0755', owner: 'root:root'}
  - {path: /b, content: aGVsbG8=, encoding: b64, permissions: 0600, append: true}
  - {path: /c, content: hello, defer: true, permissions: what}
packages: [git, [tmux, '3.4']]
package_update: true
bootcmd: [echo early]
runcmd:
  - echo $HOME
  - [echo, it's, $HOME]
swap: {size: 1G}
`

func TestParse(t *testing.T) {
	t.Parallel()
	want := &cloudinit.Config{
		Users: []cloudinit.User{
			{
				Name: "dev", Comment: "A Developer", Shell: "/bin/sh", Groups: []string{"docker", "adm"},
				Sudo: []string{"ALL=(ALL) NOPASSWD:ALL"}, AuthorizedKeys: []string{"ssh-ed25519 CCCC two"},
			},
			{Name: "plain", Groups: []string{"a", "b"}},
		},
		DefaultUser: true, AuthorizedKeys: []string{"ssh-ed25519 AAAA one"}, KeepHostKeys: true,
		HostKeys: []cloudinit.HostKey{{Type: "ed25519", Private: "-----BEGIN X-----\n-----END X-----\n", Public: "ssh-ed25519 BBBB"}},
		Files: []cloudinit.File{
			{Path: "/a", Content: []byte("hello"), Mode: 0o755, Owner: "root:root"},
			{Path: "/b", Content: []byte("hello"), Mode: 0o600, Append: true},
			{Path: "/c", Content: []byte("hello"), Mode: 0o644, Defer: true},
		},
		Packages: []string{"git", "tmux=3.4"}, PackageUpdate: true,
		Boot:     []cloudinit.Command{{Line: "echo early"}},
		Run:      []cloudinit.Command{{Line: "echo $HOME"}, {Argv: []string{"echo", "it's", "$HOME"}}},
		Hostname: "box", Timezone: "Europe/Berlin", FinalMessage: "ready after $UPTIME",
		Unknown:  []string{"swap", "users[2].passwd"},
		Warnings: []string{`write_files: /c: permissions "what"`},
	}
	for name, data := range map[string][]byte{"plain": []byte(everything), "gzip": zip(t, everything), "multipart": []byte(multipart(everything))} {
		got, err := cloudinit.Parse(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(cloudinit.Config{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestParseKinds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, data string
		scripts    int
		warnings   int
		fails      bool
	}{
		{name: "empty"},
		{name: "a script", data: "#!/bin/bash\necho hi\n", scripts: 1},
		{name: "text of no kind", data: "hello", warnings: 1},
		{name: "a template", data: "## template: jinja\n#cloud-config\n{}", warnings: 1},
		{name: "broken YAML", data: "#cloud-config\na: [", fails: true},
		{name: "one broken key leaves the others", data: "#cloud-config\nusers: 7\nruncmd: [ls]\n", warnings: 1},
		{name: "a bomb", data: string(zip(t, strings.Repeat("\x00", cloudinit.MaxSize+1))), fails: true},
	} {
		c, err := cloudinit.Parse([]byte(tt.data))
		if (err != nil) != tt.fails {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if err == nil && (len(c.Scripts) != tt.scripts || len(c.Warnings) != tt.warnings) {
			t.Errorf("%s: %+v", tt.name, c)
		}
	}
	if _, err := cloudinit.Parse(make([]byte, cloudinit.MaxSize+1)); !errors.Is(err, cloudinit.ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
}

// parts makes a multipart of parts with headers of their own.
func parts(list ...string) string {
	var b strings.Builder
	b.WriteString("Content-Type: multipart/mixed; boundary=\"XX\"\nMIME-Version: 1.0\n\n")
	for _, p := range list {
		b.WriteString("--XX\n" + p + "\n")
	}
	return b.String() + "--XX--\n"
}

func TestParseParts(t *testing.T) {
	t.Parallel()
	const ours = "Content-Type: text/cloud-config\n\n#cloud-config\nruncmd: [a]\nhostname: box\npackages: [p]\n"
	for name, tt := range map[string]struct {
		data string
		want cloudinit.Config
	}{
		"scripts by frequency": {
			parts(
				"Content-Type: text/x-shellscript-per-boot\nContent-Disposition: attachment; filename=\"boot\"\n\n#!/bin/sh\n1\n",
				"Content-Type: text/x-shellscript-per-instance\nContent-Disposition: attachment; filename=\"../inst\"\n\n#!/bin/sh\n2\n",
				"Content-Type: text/x-shellscript\nContent-Disposition: attachment; filename=\"zz\"\n\n#!/bin/sh\n3\n",
				"Content-Type: text/plain\n\n#!/bin/sh\n4\n",
				"Content-Type: text/cloud-boothook\n\n#cloud-boothook\n#!/bin/sh\n5\n",
			),
			cloudinit.Config{
				DefaultUser: true,
				PerBoot:     []cloudinit.ScriptFile{{Name: "boot", Content: "#!/bin/sh\n1\n"}}, PerInstance: []cloudinit.ScriptFile{{Name: "inst", Content: "#!/bin/sh\n2\n"}},
				Scripts:   []cloudinit.ScriptFile{{Name: "zz", Content: "#!/bin/sh\n3\n"}, {Name: "part-004", Content: "#!/bin/sh\n4\n"}},
				Boothooks: []cloudinit.ScriptFile{{Name: "part-005", Content: "#!/bin/sh\n5\n"}},
			},
		},
		"sources of apt": {
			"#cloud-config\napt:\n  conf: X\n  proxy: y\n  sources:\n    one: {source: 'deb [signed-by=$KEY_FILE] https://x $RELEASE main', key: K}\n    ../two: {source: z}\n    three: {keyid: F}\n",
			cloudinit.Config{
				DefaultUser: true, Files: []cloudinit.File{
					{Path: "/etc/apt/apt.conf.d/94cloud-init-config", Content: []byte("X"), Mode: 0o644},
					{Path: "/etc/apt/cloud-init.gpg.d/one.gpg", Content: []byte("K"), Mode: 0o644},
					{Path: "/etc/apt/sources.list.d/one.list", Content: []byte("deb [signed-by=/etc/apt/cloud-init.gpg.d/one.gpg] https://x noble main\n"), Mode: 0o644},
				},
				Unknown: []string{"apt.proxy", "apt.sources.three.keyid"}, Warnings: []string{`apt: sources: "../two" is no file name`},
			},
		},
		"a later document replaces": {
			parts(ours, "Content-Type: text/cloud-config\n\n#cloud-config\nruncmd: [b]\n"),
			cloudinit.Config{DefaultUser: true, Run: []cloudinit.Command{{Line: "b"}}, Hostname: "box", Packages: []string{"p"}},
		},
		"or is added, by its header": {
			parts(ours, "Content-Type: text/cloud-config\nMerge-Type: list(append)+dict(no_replace,recurse_list)+str()\n\n#cloud-config\nruncmd: [b]\nhostname: other\ngroups: [g, {h: [x]}]\n"),
			cloudinit.Config{
				DefaultUser: true, Run: []cloudinit.Command{{Line: "a"}, {Line: "b"}}, Hostname: "box", Packages: []string{"p"}, Groups: []string{"g", "h"},
			},
		},
		"or by itself": {
			parts(ours, "Content-Type: text/cloud-config\n\n#cloud-config\nruncmd: [b]\nmerge_how: [{name: list, settings: [prepend]}, {name: dict, settings: [no_replace, recurse_list]}]\n"),
			cloudinit.Config{DefaultUser: true, Run: []cloudinit.Command{{Line: "b"}, {Line: "a"}}, Hostname: "box", Packages: []string{"p"}},
		},
	} {
		got, err := cloudinit.Parse([]byte(tt.data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(&tt.want, got, cmpopts.IgnoreUnexported(cloudinit.Config{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestScript(t *testing.T) {
	t.Parallel()
	got := cloudinit.Script([]cloudinit.Command{{Line: "a | b"}, {Argv: []string{"echo", "it's"}}})
	if want := "#!/bin/sh\na | b\n'echo' 'it'\\''s'\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(everything))
	f.Add([]byte("#!/bin/sh\n"))
	f.Add([]byte(multipart("#cloud-config\n{}")))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := cloudinit.Parse(data)
		if err != nil {
			return
		}
		for _, u := range c.Users {
			if u.Name == "" {
				t.Error("a user without a name")
			}
		}
		for _, file := range c.Files {
			if file.Path == "" || file.Mode > 0o7777 {
				t.Errorf("%+v", file)
			}
		}
	})
}

func zip(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func multipart(config string) string {
	return "Content-Type: multipart/mixed; boundary=\"XX\"\nMIME-Version: 1.0\n\n--XX\nContent-Type: text/cloud-config\n" +
		"Content-Transfer-Encoding: base64\n\n" + base64.StdEncoding.EncodeToString([]byte(config)) + "\n--XX--\n"
}
