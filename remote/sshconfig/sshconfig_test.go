package sshconfig_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/knownhosts"
	"github.com/azlin-dev/azlin/remote/sshconfig"
)

func hostKey(t *testing.T) ssh.PublicKey {
	t.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestRenderIsWhatSSHReads has ssh read what was written.
func TestRenderIsWhatSSHReads(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a b 100%")
	files := sshconfig.Files{User: filepath.Join(dir, "home", "config"), Dir: filepath.Join(dir, "azlin")}
	known := knownhosts.File{Path: filepath.Join(dir, "known_hosts")}
	key := hostKey(t)
	content, err := sshconfig.Render([]sshconfig.Entry{
		{Names: []string{"dev", "work"}, Host: remote.Host{VMID: "ABC", Address: "192.0.2.7", Port: 2222, KeyPath: "/k/a b%.pub", EarlierKeys: []string{"/k/old"}, HostKey: key}},
		{Names: []string{"hidden"}, Host: remote.Host{VMID: "DEF", User: "ann", HostKey: key, ProxyCommand: []string{"/opt/a b/azlin", "proxy", "100%"}}},
	}, known)
	if err != nil {
		t.Fatal(err)
	}
	if err := files.Write(t.Context(), "team", content); err != nil {
		t.Fatal(err)
	}
	if err := files.AddInclude(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{
		"work": {
			"hostname 192.0.2.7", "port 2222", "user azureuser", "hostkeyalias azlin-abc", "stricthostkeychecking true", "identitiesonly yes",
			"/k/a b%", "identityfile /k/old", "known_hosts", "hostkeyalgorithms ssh-ed25519",
		},
		"hidden": {"hostname azlin-def", "user ann", "proxycommand '/opt/a b/azlin' proxy 100%%"},
		"other":  {"hostname other"},
	} {
		out, err := exec.CommandContext(t.Context(), "ssh", "-F", files.User, "-G", name).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		for _, w := range want {
			if !strings.Contains(string(out), w) {
				t.Errorf("%s: %q is not in\n%s", name, w, out)
			}
		}
	}
}

func TestRenderRefuses(t *testing.T) {
	t.Parallel()
	key := hostKey(t)
	for name, e := range map[string]sshconfig.Entry{
		"no host key":    {Names: []string{"dev"}, Host: remote.Host{Address: "192.0.2.7"}},
		"no name":        {Host: remote.Host{Address: "192.0.2.7", HostKey: key}},
		"a pattern":      {Names: []string{"*"}, Host: remote.Host{Address: "192.0.2.7", HostKey: key}},
		"two names":      {Names: []string{"a b"}, Host: remote.Host{Address: "192.0.2.7", HostKey: key}},
		"another line":   {Names: []string{"a\nUser x"}, Host: remote.Host{Address: "192.0.2.7", HostKey: key}},
		"no address":     {Names: []string{"dev"}, Host: remote.Host{HostKey: key}},
		"a user's line":  {Names: []string{"dev"}, Host: remote.Host{Address: "192.0.2.7", HostKey: key, User: "x\nProxyCommand id"}},
		"option address": {Names: []string{"dev"}, Host: remote.Host{Address: "-oProxyCommand=id", HostKey: key}},
	} {
		if out, err := sshconfig.Render([]sshconfig.Entry{e}, knownhosts.File{}); !errors.Is(err, remote.ErrConnection) && !errors.Is(err, remote.ErrHostKey) {
			t.Errorf("%s: %v, %q", name, err, out)
		}
	}
}

func TestIncludeIsSeen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := sshconfig.Files{User: filepath.Join(dir, "config"), Dir: filepath.Join(dir, "azlin")}
	pattern := filepath.Join(dir, "azlin", "*.conf")
	for text, want := range map[string]bool{
		"": false, "Host *\nInclude " + pattern + "\n": false, "# Include " + pattern + "\n": false,
		"include  " + pattern + "\nHost x\n": true, "User x\n  Include=\"" + pattern + "\"": true, "Include other\nMatch all\nInclude " + pattern: false,
	} {
		if err := os.WriteFile(files.User, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := files.Included(); got != want || err != nil {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestForeignFileStays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := sshconfig.Files{User: filepath.Join(dir, "config"), Dir: dir}
	if err := os.WriteFile(files.Path("team"), []byte("Host mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{files.Write(t.Context(), "team", []byte("x")), files.Remove(t.Context(), "team")} {
		if errkind.Of(err) != errkind.Conflict || !errors.Is(err, sshconfig.ErrSSHConfig) {
			t.Errorf("got %v", err)
		}
	}
	if data, err := os.ReadFile(files.Path("team")); string(data) != "Host mine\n" {
		t.Errorf("it is %q now, %v", data, err)
	}
}

// FuzzUsersFileStays adds the Include to any configuration and takes it away again: every byte is as it was.
func FuzzUsersFileStays(f *testing.F) {
	for _, s := range []string{"Host *\n\tUser me", "\r\n", "Include x\n", "\xff\x00", "# azlin's VMs: 'azlin ssh-config --remove' takes these two lines away.\n", " "} {
		f.Add([]byte(s))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, old []byte) {
		files := sshconfig.Files{User: filepath.Join(dir, "config"), Dir: filepath.Join(dir, "azlin")}
		if len(old) == 0 || bytes.Contains(old, []byte(files.Include())) || bytes.Contains(old, []byte(files.Dir)) {
			return
		}
		if err := os.WriteFile(files.User, old, 0o640); err != nil {
			t.Fatal(err)
		}
		content, err := sshconfig.Render(nil, knownhosts.File{})
		if err != nil {
			t.Fatal(err)
		}
		ctx := context.Background()
		for range 2 { // twice is as once
			if err := errors.Join(files.Write(ctx, "a", content), files.Write(ctx, "b", content), files.AddInclude(ctx)); err != nil {
				t.Fatal(err)
			}
		}
		with, err := os.ReadFile(files.User)
		if err != nil || string(with) != files.Include()+string(old) {
			t.Fatalf("%q, %v", with, err)
		}
		if err := files.Remove(ctx, "a"); err != nil {
			t.Fatal(err)
		}
		if now, err := os.ReadFile(files.User); err != nil || !bytes.Equal(now, with) {
			t.Fatalf("the other set lost its include: %q, %v", now, err)
		}
		if err := files.Remove(ctx, "b"); err != nil {
			t.Fatal(err)
		}
		now, err := os.ReadFile(files.User)
		info, statErr := os.Stat(files.User)
		if err != nil || statErr != nil || !bytes.Equal(now, old) || info.Mode().Perm() != 0o640 {
			t.Fatalf("%q, %v, %v", now, err, info.Mode())
		}
	})
}
