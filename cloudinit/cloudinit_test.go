package cloudinit_test

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/azlin-dev/azlin/cloudinit"
	"github.com/azlin-dev/azlin/errkind"
)

func TestRender(t *testing.T) {
	t.Parallel()
	got, err := cloudinit.Render(cloudinit.Config{
		HostKeyPrivate: "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n",
		HostKeyPublic:  "ssh-ed25519 AAAA", Packages: []string{"tmux"},
	})
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
package_update: true
packages:
  - tmux
`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestRenderRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]cloudinit.Config{
		"half a key": {HostKeyPublic: "ssh-ed25519 AAAA"},
		"too large":  {Packages: []string{strings.Repeat("x", cloudinit.MaxSize)}},
	} {
		if _, err := cloudinit.Render(c); errkind.Of(err) != errkind.Invalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// FuzzRender checks that nothing in a value can become a key of the document.
func FuzzRender(f *testing.F) {
	f.Add("key\n", "pub", "pkg")
	f.Add("a: b\nruncmd: [x]", "#", "- x")
	f.Fuzz(func(t *testing.T, private, public, pkg string) {
		if private == "" || public == "" {
			return
		}
		got, err := cloudinit.Render(cloudinit.Config{HostKeyPrivate: private, HostKeyPublic: public, Packages: []string{pkg}})
		if err != nil {
			return // too large, or bytes that YAML cannot hold
		}
		var back struct {
			SSHKeys  map[string]string `yaml:"ssh_keys"`
			Packages []string          `yaml:"packages"`
			Rest     map[string]any    `yaml:",inline"`
		}
		if err := yaml.Unmarshal(got, &back); err != nil {
			t.Fatalf("not YAML: %v\n%s", err, got)
		}
		for key := range back.Rest {
			if key != "ssh_deletekeys" && key != "package_update" {
				t.Errorf("a value became the key %q", key)
			}
		}
		if back.SSHKeys["ed25519_private"] != private || back.SSHKeys["ed25519_public"] != public || back.Packages[0] != pkg {
			t.Errorf("changed on the way: %q", back)
		}
	})
}
