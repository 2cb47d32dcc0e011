package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/config"
)

func write(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "f.toml")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestLoad(t *testing.T) {
	t.Parallel()
	c, err := config.Load(write(t, "default_vm_size = 'Standard_D4s_v5'\nfuture_key = 1\n[session_names]\nvm1 = 'work'\n"))
	if err != nil {
		t.Fatal(err)
	}
	if c.VMSize() != "Standard_D4s_v5" || c.Region() != "westus2" || c.SessionNames["vm1"] != "work" {
		t.Errorf("got %+v", c)
	}
	empty, err := config.Load(filepath.Join(t.TempDir(), "absent"))
	if err != nil || empty.VMSize() != "Standard_B2s" {
		t.Errorf("an absent file: %+v, %v", empty, err)
	}
}

func TestBrokenFilesAreNamedAndLeftAlone(t *testing.T) {
	t.Parallel()
	for content, where := range map[string]string{
		"default_region = westus2\n":             ":1:18",
		"\n[session_names]\nvm1 = 3\n":           ":3:7",
		"default_region = 'a'\ndefault_region=1": ":2:1",
	} {
		name := write(t, content)
		_, err := config.Load(name)
		if !errors.Is(err, config.ErrConfig) || errkind.Of(err) != errkind.Invalid {
			t.Errorf("%q: got %v", content, err)
			continue
		}
		if !strings.Contains(err.Error(), name+where) {
			t.Errorf("%q: %v does not say %s", content, err, where)
		}
		if after, err := os.ReadFile(name); err != nil || string(after) != content {
			t.Errorf("%q was changed to %q, %v", content, after, err)
		}
	}
}

func TestContexts(t *testing.T) {
	t.Parallel()
	name := write(t, `current = "dev"
[contexts.dev]
subscription_id = "11111111-1111-1111-1111-111111111111"
resource_group = "team"
`)
	all, err := config.LoadContexts(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"dev", "emulator"}, all.Names()); diff != "" {
		t.Error(diff)
	}
	dev, err := all.Get(all.Current)
	if err != nil || dev.ResourceGroup != "team" || dev.Name != "dev" {
		t.Errorf("got %+v, %v", dev, err)
	}
	if _, err := all.Get("prod"); errkind.Of(err) != errkind.NotFound || !strings.Contains(err.Error(), "dev, emulator") {
		t.Errorf("an unknown context: %v", err)
	}
	for _, bad := range []string{
		"[contexts.'a b']\n", "[contexts.dev]\nsubscription_id = 'x'\n", "[contexts.dev]\ntenant_id = 'contoso.com'\n",
	} {
		if _, err := config.LoadContexts(write(t, bad)); !errors.Is(err, config.ErrConfig) {
			t.Errorf("%q was accepted: %v", bad, err)
		}
	}
}

func TestEnvironmentAndPaths(t *testing.T) {
	t.Parallel()
	env := config.ReadEnvironment([]string{"HOME=/h", "AZLIN_CONTEXT=a", "AZLIN_CONTEXT=b", "NO_COLOR=", "CI=false", "junk"})
	if env.Context != "b" || !env.NoColor || env.CI || env.Home != "/h" {
		t.Errorf("got %+v", env)
	}
	p, err := config.ResolvePaths(env)
	if err != nil || p.Dir != "/h/.azlin" || p.SSHDir != "/h/.ssh" || p.AzureDir != "/h/.azure" || p.Templates != "/h/.azlin/templates" {
		t.Errorf("got %+v, %v", p, err)
	}
	if _, err := config.ResolvePaths(config.Environment{}); !errors.Is(err, config.ErrNoHome) {
		t.Errorf("no home: %v", err)
	}
}

func TestEnsureTakesRightsFromOthers(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "azlin")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	p := config.Paths{Dir: dir}
	if err := p.Ensure(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("default_region = 'x'\n")
	f.Add("[session_names]\na='b'")
	f.Add("\x00= [")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, content string) {
		name := filepath.Join(dir, "c.toml")
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := config.Load(name); err != nil && !errors.Is(err, config.ErrConfig) {
			t.Errorf("unnamed error %v", err)
		}
		if _, err := config.LoadContexts(name); err != nil && !errors.Is(err, config.ErrConfig) {
			t.Errorf("unnamed error %v", err)
		}
	})
}
