package cloudinit_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/vm/cloudinit"
)

// debian returns a command of Debian's cloud-init, which test/cloud-init.sh unpacks into the cache.
func debian(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip(err)
	}
	dir := filepath.Join(cache, "azlin-test", "cloud-init")
	if _, err := os.Stat(filepath.Join(dir, "usr/bin/cloud-init")); err != nil {
		t.Skip("cloud-init is missing: run test/cloud-init.sh")
	}
	for i, a := range args {
		args[i] = strings.ReplaceAll(a, "{dir}", dir)
	}
	cmd := exec.CommandContext(t.Context(), "/usr/bin/python3", args...)
	cmd.Env = []string{"PYTHONPATH=" + filepath.Join(dir, "usr/lib/python3/dist-packages"), "PATH=/usr/bin:/bin", "LANG=C.UTF-8"}
	return cmd
}

// awkward are configurations whose values look like something else.
func awkward() map[string]cloudinit.Config {
	key := cloudinit.Config{HostKeyPrivate: privateKey, HostKeyPublic: publicKey}
	with := func(change func(*cloudinit.Config)) cloudinit.Config {
		c := key
		change(&c)
		return c
	}
	return map[string]cloudinit.Config{
		"everything":        with(func(c *cloudinit.Config) { c.StartupScript = "echo hello\n" }),
		"no tools":          with(func(c *cloudinit.Config) { c.Tools = []string{} }),
		"no host key":       {},
		"a strange user":    with(func(c *cloudinit.Config) { c.User = "Ann.B-c" }),
		"a yes of a key":    with(func(c *cloudinit.Config) { c.HostKeyPrivate, c.HostKeyPublic = "yes", "~" }),
		"a tab in a key":    with(func(c *cloudinit.Config) { c.HostKeyPrivate = "\tx\n\t\n" }),
		"YAML in a script":  with(func(c *cloudinit.Config) { c.StartupScript = "a: [\n- b\n#cloud-config\n%YAML\n---\n...\n{{ x }}" }),
		"bytes in a script": with(func(c *cloudinit.Config) { c.StartupScript = "#!/bin/sh\r\necho '\x85\xff\u2028é'\n" }),
		"a file of its own": with(func(c *cloudinit.Config) {
			c.Extra = []byte("#cloud-config\npackages: [htop]\nruncmd:\n  - echo \"Grüße\"\nwrite_files:\n  - {path: /etc/x, content: y}\n")
		}),
	}
}

// TestSchema asks cloud-init's own validator about every cloud-config that azlin renders.
func TestSchema(t *testing.T) {
	t.Parallel()
	for name, config := range awkward() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc, err := cloudinit.Render(config)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range unpack(t, doc) {
				if p.kind != "text/cloud-config" {
					continue
				}
				file := filepath.Join(t.TempDir(), "config.yaml")
				if err := os.WriteFile(file, []byte(p.content), 0o600); err != nil {
					t.Fatal(err)
				}
				if out, err := debian(t, "{dir}/usr/bin/cloud-init", "schema", "--config-file", file).CombinedOutput(); err != nil {
					t.Errorf("%v\n%s\n%s", err, out, p.content)
				}
			}
		})
	}
	// The validator does refuse something.
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte("#cloud-config\npackages: 7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := debian(t, "{dir}/usr/bin/cloud-init", "schema", "--config-file", file).CombinedOutput(); err == nil {
		t.Errorf("it takes anything: %s", out)
	}
}

// asCloudInit reads a document with cloud-init's own code and says what would become of it.
const asCloudInit = `
import json, sys
from cloudinit import handlers, helpers, user_data
from cloudinit.handlers.cloud_config import CloudConfigPartHandler
paths = helpers.Paths({"cloud_dir": sys.argv[1], "run_dir": sys.argv[1]})
message = user_data.UserDataProcessor(paths).process(sys.stdin.buffer.read())
config = CloudConfigPartHandler(paths)
config.handle_part(None, handlers.CONTENT_START, None, None, None, None)
scripts = {}
for part in message.walk():
    if part.get_content_maintype() == "multipart":
        continue
    payload = part.get_payload(decode=True)
    kind = part.get_content_type()
    if kind == "text/cloud-config":
        config.handle_part(None, kind, part.get_filename(), payload.decode(), None, dict(part))
    else:
        scripts[part.get_filename()] = [kind, payload.decode("latin-1")]
print(json.dumps({"config": config.cloud_buf, "scripts": scripts}))
`

// TestCloudInitReadsIt has cloud-init's own code take the document apart and merge it.
func TestCloudInitReadsIt(t *testing.T) {
	t.Parallel()
	extra := "#cloud-config\nruncmd: [a]\nwrite_files:\n  - {path: /etc/x, content: y}\nhostname: Grüße\n"
	doc, err := cloudinit.Render(cloudinit.Config{
		HostKeyPrivate: privateKey, HostKeyPublic: publicKey, StartupScript: "echo é\n", Extra: []byte(extra),
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := debian(t, "-c", asCloudInit, t.TempDir())
	cmd.Stdin = bytes.NewReader(doc)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	var got struct {
		Config struct {
			Hostname   string
			RunCmd     []string
			SSHKeys    map[string]string       `json:"ssh_keys"`
			WriteFiles []struct{ Path string } `json:"write_files"`
		}
		Scripts map[string][2]string
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var files []string
	for _, f := range got.Config.WriteFiles {
		files = append(files, f.Path)
	}
	if diff := cmp.Diff([]string{"/etc/tmux.conf", "/run/azlin/tools", "/var/lib/azlin/startup-script", "/etc/x"}, files); diff != "" {
		t.Error(diff)
	}
	if got.Config.Hostname != "Grüße" || len(got.Config.RunCmd) != 1 || got.Config.SSHKeys["ed25519_private"] != privateKey {
		t.Errorf("%+v", got.Config)
	}
	for name, kind := range map[string]string{"azlin-tools": "text/x-shellscript-per-boot", "zz-azlin-startup": "text/x-shellscript"} {
		if got.Scripts[name][0] != kind || !strings.HasPrefix(got.Scripts[name][1], "#!/bin/sh\n") {
			t.Errorf("%s: %.80q", name, got.Scripts[name])
		}
	}
}
