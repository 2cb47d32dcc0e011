package config_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/config"
)

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

const settled = `# mine
default_region = 'westus3' # near
future = 1

[session_names] # of VMs
vm1 = "one"
"vm.2" = 'two'
`

func TestSaveWritesOnlyWhatDiffers(t *testing.T) {
	t.Parallel()
	f := config.File{Path: write(t, settled)}
	c, err := f.Load()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Save(t.Context(), c); err != nil || read(t, f.Path) != settled {
		t.Errorf("saving what was loaded: %v\n%s", err, read(t, f.Path))
	}
	c.DefaultVMSize, c.LastVMName, c.DefaultNFSStorage = "Standard_D4s_v3", "vm1", "teamshare"
	c.SessionNames = map[string]string{"vm1": "eins", "vm3": "three"}
	c.EchoServices = []string{"https://a.example"}
	c.NotificationCommand, c.DefaultRegion = "notify", ""
	c.VMStorage = map[string]string{"vm1": "teamshare"}
	if err := f.Save(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	want := `# mine
future = 1
default_vm_size = "Standard_D4s_v3"
echo_services = ["https://a.example"]
last_vm_name = "vm1"
default_nfs_storage = "teamshare"
notification_command = "notify"

[session_names] # of VMs
vm1 = "eins"
vm3 = "three"

[vm_storage]
vm1 = "teamshare"
`
	if diff := cmp.Diff(want, read(t, f.Path)); diff != "" {
		t.Error(diff)
	}
	back, err := f.Load()
	if diff := cmp.Diff(c, back, cmpopts.IgnoreUnexported(config.Config{}), cmpopts.IgnoreFields(config.Config{}, "Unknown")); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if back.Region() != config.DefaultRegion || back.VMSize() != "Standard_D4s_v3" || back.Notifier() != "notify" {
		t.Errorf("got %+v", back)
	}
	if (config.Config{}).Notifier() != "imessR" {
		t.Error("the default of notification_command is another one")
	}
	if diff := cmp.Diff([]config.UnknownKey{{Key: "future", Where: f.Path + ":2:10"}}, back.Unknown); diff != "" {
		t.Error(diff)
	}
	c.SSHSource = "everywhere"
	if err := f.Save(t.Context(), c); !errors.Is(err, config.ErrConfig) || read(t, f.Path) != want {
		t.Errorf("a value that is not valid was saved: %v", err)
	}
}

func TestSessionNames(t *testing.T) {
	t.Parallel()
	f := config.File{Path: filepath.Join(t.TempDir(), "new", "config.toml")}
	if err := f.SetSessionName(t.Context(), "vm.with.dots", "my-dev_env"); err != nil {
		t.Fatal(err)
	}
	if name, err := f.SessionName("vm.with.dots"); err != nil || name != "my-dev_env" {
		t.Errorf("got %q, %v", name, err)
	}
	if err := f.SetSessionName(t.Context(), "vm", "a:b"); !errors.Is(err, config.ErrConfig) || errkind.Of(err) != errkind.Invalid {
		t.Errorf("a bad name: %v", err)
	}
	if err := f.SetSessionName(t.Context(), "", "a"); !errors.Is(err, config.ErrConfig) {
		t.Errorf("no VM: %v", err)
	}
	if err := f.SetSessionName(t.Context(), "vm.with.dots", ""); err != nil {
		t.Fatal(err)
	}
	if name, err := f.SessionName("vm.with.dots"); err != nil || name != "" {
		t.Errorf("got %q, %v", name, err)
	}
	for name, want := range map[string]os.FileMode{f.Path: 0o600, filepath.Dir(f.Path): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

// TestEveryKey sets, reads and unsets every key of the schema, and holds each against a wrong value.
func TestEveryKey(t *testing.T) {
	t.Parallel()
	good := map[string]string{
		"default_resource_group": "team(1)", "default_region": "westeurope", "default_vm_size": "Standard_D2s_v5",
		"ssh_source": "198.51.100.0/24", "ssh_timeout": "1m30s", "operation_timeout": "20m", "max_reconnect_attempts": "0", "echo_services": "https://a.example/ip", "last_vm_name": "vm", "session_names": "work",
		"default_nfs_storage": "share1", "vm_storage": "share1", "notification_channels": "webhook", "notification_command": "notify-send azlin",
		"notification_webhook": "http://127.0.0.1:1/x", "terminal": "kitty", "aliases": "list --running",
	}
	bad := map[string]string{
		"default_resource_group": "ends.", "default_region": "", "default_vm_size": "a b", "ssh_source": "0.0.0.0/0", "ssh_timeout": "10ms", "operation_timeout": "soon", "max_reconnect_attempts": "-1",
		"echo_services": "http://a.example", "last_vm_name": " ", "session_names": "a.b", "default_nfs_storage": "UPPER",
		"vm_storage": "x", "notification_channels": "pigeon", "notification_command": "a\nb", "notification_webhook": "http://secret.example", "terminal": "emacs", "aliases": "list \"",
	}
	f := config.File{Path: filepath.Join(t.TempDir(), "config.toml")}
	for _, k := range config.Keys() {
		name := k.Name
		if k.Kind() == config.Table {
			name += ".vm"
		}
		if err := f.Set(t.Context(), name, good[k.Name]); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		c, err := f.Load()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(fmt.Sprint(c.Value(k)), good[k.Name]) {
			t.Errorf("%s reads back as %v", name, c.Value(k))
		}
		before := read(t, f.Path)
		err = f.Set(t.Context(), name, bad[k.Name])
		if !errors.Is(err, config.ErrConfig) || errkind.Of(err) != errkind.Invalid || read(t, f.Path) != before {
			t.Errorf("%s = %q: %v", name, bad[k.Name], err)
		}
		if k.Secret && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error repeats the value: %v", name, err)
		}
		if was, err := f.Unset(t.Context(), name); !was || err != nil {
			t.Errorf("unset %s: %v, %v", name, was, err)
		}
		if was, err := f.Unset(t.Context(), name); was || err != nil {
			t.Errorf("unset %s again: %v, %v", name, was, err)
		}
	}
	if _, _, err := config.Lookup("default_region.x"); !errors.Is(err, config.ErrConfig) {
		t.Errorf("an entry of a text: %v", err)
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	f := config.File{Path: write(t, settled)}
	old, err := f.Read()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Replace(t.Context(), "draft", old, []byte("default_region = 3")); !errors.Is(err, config.ErrConfig) || !strings.Contains(err.Error(), "draft:1:18") {
		t.Errorf("got %v", err)
	}
	if err := f.Replace(t.Context(), "draft", []byte("other"), old); errkind.Of(err) != errkind.Conflict {
		t.Errorf("a file that changed meanwhile: %v", err)
	}
	if read(t, f.Path) != settled {
		t.Error("the file was changed")
	}
	if err := f.Replace(t.Context(), "draft", old, nil); err != nil || read(t, f.Path) != "" {
		t.Errorf("emptied: %q, %v", read(t, f.Path), err)
	}
}

func TestSymbolicLinksStay(t *testing.T) {
	t.Parallel()
	target := write(t, settled)
	link := filepath.Join(t.TempDir(), "config.toml")
	if err := os.Symlink(target, link); err != nil {
		t.Skip(err)
	}
	if err := (config.File{Path: link}).Set(t.Context(), "default_region", "eastus"); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", info.Mode(), err)
	}
	if !strings.Contains(read(t, target), `"eastus" # near`) {
		t.Errorf("got %s", read(t, target))
	}
}

func TestMend(t *testing.T) {
	t.Parallel()
	p, err := config.ResolvePaths(config.Environment{Home: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if notes := p.Mend(); len(notes) > 0 {
		t.Errorf("nothing is there, but %q", notes)
	}
	if err := os.MkdirAll(p.Tokens, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{p.Config, p.Contexts} {
		if err := os.WriteFile(name, nil, 0o640); err != nil {
			t.Fatal(err)
		}
	}
	if notes := p.Mend(); len(notes) != 4 || !strings.Contains(notes[3], p.Contexts+" was open to others (0640); it is now 0600") {
		t.Errorf("got %q", notes)
	}
	if notes := p.Mend(); len(notes) > 0 {
		t.Errorf("mended, but %q", notes)
	}
}

const settledContexts = `current = "dev" # now
[contexts.dev]
subscription_id = "11111111-1111-1111-1111-111111111111"
resource_group = 'team'
protected = false
[contexts.prod]
cloud = "china"
read_only = true
`

// corrupt damages a text in one of the ways that disks, editors and people do.
func corrupt(random *rand.Rand, text string) string {
	b := []byte(text)
	for range 1 + random.IntN(3) {
		if len(b) == 0 {
			break
		}
		at := random.IntN(len(b))
		switch random.IntN(8) {
		case 0, 1:
			b = b[:at]
		case 2:
			b[at] ^= 1 << random.IntN(8)
		case 3:
			b[at] = byte(random.IntN(256))
		case 4:
			b = append(b[:at:at], b[min(len(b), at+1+random.IntN(20)):]...)
		case 5:
			b = append(b[:at:at], append(bytes.Repeat([]byte{`"'[]{}=.#`[random.IntN(9)]}, 1+random.IntN(3)), b[at:]...)...)
		case 6:
			other := random.IntN(len(b))
			b = append(b[:at:at], append(bytes.Clone(b[other:]), b[at:]...)...)
		case 7:
			b = append(b[:at:at], append(bytes.Repeat([]byte{0}, 1+random.IntN(100)), b[at:]...)...)
		}
	}
	return string(b)
}

// TestTenThousandDamagedFiles reads and edits damaged files. What cannot be understood is an error of our
// class that names file, line and column, and leaves the file as it is.
func TestTenThousandDamagedFiles(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	name := filepath.Join(t.TempDir(), "damaged.toml")
	where := regexp.MustCompile(regexp.QuoteMeta(name) + `:\d+:\d+: `)
	refused := 0
	for n := range 10_000 {
		contexts := n%2 == 1
		text := corrupt(random, map[bool]string{false: settled, true: settledContexts}[contexts])
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		load, class := func() error { _, err := config.Load(name); return err }, config.ErrConfig
		edit := func() error {
			return config.File{Path: name}.Save(t.Context(), config.Config{DefaultVMSize: "Standard_B2s"})
		}
		if contexts {
			load, class = func() error { _, err := config.LoadContexts(name); return err }, config.ErrContext
			edit = func() error { return config.ContextFile{Path: name}.Use(t.Context(), "no-such") }
		}
		err := load()
		if read(t, name) != text {
			t.Fatalf("%q: reading changed it", text)
		}
		if err == nil {
			continue
		}
		refused++
		if !errors.Is(err, class) || errkind.Of(err) != errkind.Invalid || !where.MatchString(err.Error()) {
			t.Errorf("%q: %v", text, err)
		}
		if n%10 < 2 { // an edit takes the lock, which is slower
			if err := edit(); !errors.Is(err, class) {
				t.Errorf("%q: edited: %v", text, err)
			}
			if read(t, name) != text {
				t.Fatalf("%q: a refused edit changed it", text)
			}
		}
	}
	if refused < 3000 {
		t.Errorf("only %d of the files were damaged", refused)
	}
}

func FuzzSet(f *testing.F) {
	f.Add(settled, "x")
	f.Add("session_names = {a = 'b'}\r\n", "work")
	f.Add("[[session_names]]\n", "work")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, content, value string) {
		file := config.File{Path: filepath.Join(dir, "c.toml")}
		if err := os.WriteFile(file.Path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		switch err := file.Set(t.Context(), "session_names.vm", value); {
		case err != nil && !errors.Is(err, config.ErrConfig):
			t.Errorf("unnamed error %v", err)
		case err != nil:
			if read(t, file.Path) != content {
				t.Error("a refused edit changed the file")
			}
		default:
			c, err := file.Load()
			if err == nil && c.SessionNames["vm"] != value {
				t.Errorf("%q reads back as %q", value, c.SessionNames["vm"])
			}
		}
	})
}
