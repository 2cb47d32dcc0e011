//go:build az

package az_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/test/az"
)

// recording is where the daemon of a directory writes what az asks it.
func recording(dir string) string { return filepath.Join(filepath.Dir(dir), "requests.jsonl") }

// serveEnv makes this test binary the daemon that az talks to.
const serveEnv = "AZ_TEST_SERVE"

func TestMain(m *testing.M) {
	emulator.HostMain()
	if dir, ok := os.LookupEnv(serveEnv); ok {
		if err := emulator.Serve(context.Background(), emulator.ServeOptions{Dir: dir, Log: os.Stderr, Record: recording(dir)}); err != nil {
			_, _ = os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// world is one emulator and the ways to it.
type world struct {
	emulator.Status
	home   string // azlin's directory
	azlin  string // the program
	key    string // of the VMs' administrator
	http   *http.Client
	latest func() string // a configuration of az in profile "latest", made when it is first wanted
	hybrid string        // a configuration of az, signed in
	forks  *forks

	mu    sync.Mutex
	calls int           // of az
	spent time.Duration // in az
}

// TestAzureCLI runs the parts, as many at once as -parallel says: az waits a second between its polls.
func TestAzureCLI(t *testing.T) {
	if _, err := exec.LookPath("az"); err != nil {
		t.Skip("az is not installed")
	}
	w := open(t)
	began := time.Now()
	t.Run("parts", func(t *testing.T) {
		for _, p := range []struct { // the long ones first
			name string
			test func(*cli)
		}{
			{"machines", machines},
			{"power", power},
			{"changes of machines", changes},
			{"networks", networks},
			{"interfaces and addresses", interfaces},
			{"disks", disks},
			{"images", images},
			{"security rules", rules},
			{"storage", storageAccounts},
			{"deployments", deployments},
			{"resources", anyResources},
			{"tags and locks", tagsAndLocks},
			{"beside azlin", besideAzlin},
			{"catalogue", catalogue},
			{"groups", groups},
			{"accounts", accounts},
			{"sign in", signIn},
		} {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				p.test(w.cli(t, "az", w.hybrid))
			})
		}
	})
	countRequests(t, w)
	checkOperations(t, recording(filepath.Join(w.home, "emulator")), w.ClientSecretFile)
	t.Logf("%d calls of az, %.1f s each, in %.0f s", w.calls, w.spent.Seconds()/float64(max(1, w.calls)), time.Since(began).Seconds())
}

// open starts an emulator and signs az in, as `azlin emulator env --az` says.
func open(t *testing.T) *world {
	t.Helper()
	w := &world{home: t.TempDir(), azlin: filepath.Join(t.TempDir(), "azlin"), key: filepath.Join(t.TempDir(), "key")}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", w.azlin, "../../cmd/azlin").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := exec.CommandContext(t.Context(), "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", w.key).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	w.forks = startForks(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(w.home, "emulator")
	w.Status, err = emulator.Start(t.Context(), emulator.StartOptions{Dir: dir, Command: []string{"/usr/bin/env", serveEnv + "=" + dir, exe}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = emulator.Stop(context.Background(), dir)
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "emulator.log"))
			t.Logf("the emulator's log ends:\n%s", log[max(0, len(log)-4000):])
		}
	})
	roots := x509.NewCertPool()
	pem, err := os.ReadFile(w.CAFile)
	if err != nil || !roots.AppendCertsFromPEM(pem) {
		t.Fatalf("%s: %v", w.CAFile, err)
	}
	w.http = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}

	sourced := exec.CommandContext(t.Context(), "bash", "-euc", `eval "$("$AZLIN" emulator env --az)"; printf '%s\n' "$AZURE_CONFIG_DIR" >&3; az account show --query tenantId -o tsv`)
	sourced.Env = append(os.Environ(), "AZLIN="+w.azlin, "AZLIN_CONFIG_DIR="+w.home)
	said, err := os.Create(filepath.Join(t.TempDir(), "config-dir"))
	if err != nil {
		t.Fatal(err)
	}
	sourced.ExtraFiles = []*os.File{said}
	out, err := sourced.CombinedOutput()
	if err != nil || !strings.Contains(string(out), w.TenantID) {
		t.Fatalf("azlin emulator env --az: %v\n%s", err, out)
	}
	where, err := os.ReadFile(said.Name())
	if err != nil {
		t.Fatal(err)
	}
	w.hybrid = strings.TrimSpace(string(where))
	w.latest = sync.OnceValue(func() string {
		// With nothing but the resource manager's address: az asks it for the rest.
		c := &cli{T: t, world: w, program: "az", config: t.TempDir()}
		c.az("cloud register -n latest --endpoint-resource-manager " + w.Endpoint)
		c.az("cloud set -n latest")
		c.az("login --service-principal -u " + w.ClientID + " -p @" + w.ClientSecretFile + " --tenant " + w.TenantID)
		return c.config
	})
	return w
}

// cli is az with a configuration of its own.
type cli struct {
	*testing.T
	*world
	program, config string
	group           string
}

// cli copies a configuration, so that parts do not disturb each other.
func (w *world) cli(t *testing.T, program, config string) *cli {
	t.Helper()
	c := &cli{T: t, world: w, program: program, config: t.TempDir()}
	if config != "" {
		if err := os.CopyFS(c.config, os.DirFS(config)); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// newest is az in its profile "latest", which the launcher mends.
func (c *cli) newest() *cli {
	n := c.cli(c.T, "./az-latest", c.latest())
	n.group = c.group
	return n
}

// result is what a call of az came to.
type result struct {
	out, err string
	code     int
}

// run calls az. Words of line are arguments, and so is each of more, whatever is in it.
func (c *cli) run(line string, more ...string) result {
	c.Helper()
	ctx, cancel := context.WithTimeout(c.Context(), 3*time.Minute)
	defer cancel()
	args := append(strings.Fields(line), more...)
	environ := append(os.Environ(), "AZURE_CONFIG_DIR="+c.config, "REQUESTS_CA_BUNDLE="+c.CAFile, "SSL_CERT_FILE="+c.CAFile,
		"AZURE_CORE_COLLECT_TELEMETRY=false", "AZURE_CORE_NO_COLOR=true", "AZURE_CORE_SURVEY_MESSAGE=false", "AZURE_CORE_ONLY_SHOW_ERRORS=true",
		"NO_PROXY=127.0.0.1,localhost", "no_proxy=127.0.0.1,localhost", "PYTHONWARNINGS=ignore")
	began := time.Now()
	r, err := c.forks.run(ctx, c.TempDir(), c.program, args, environ)
	c.mu.Lock()
	c.calls++
	c.spent += time.Since(began)
	c.mu.Unlock()
	if err != nil {
		c.Fatalf("az %s: %v", strings.Join(args, " "), err)
	}
	return r
}

// az calls az and returns what it printed, parsed; nil when it printed nothing.
func (c *cli) az(line string, more ...string) any {
	c.Helper()
	r := c.run(line, append(more, "-o", "json")...)
	if r.code != 0 {
		c.Fatalf("az %s %q: exit %d\n%s%s", line, more, r.code, r.out, r.err)
	}
	if strings.TrimSpace(r.out) == "" {
		return nil
	}
	var v any
	if err := json.Unmarshal([]byte(r.out), &v); err != nil {
		c.Fatalf("az %s: %v\n%s", line, err, r.out)
	}
	return v
}

// want calls az and holds what it prints as tsv against text.
func (c *cli) want(text, line string, more ...string) {
	c.Helper()
	r := c.run(line, append(more, "-o", "tsv")...)
	if got := strings.TrimSpace(r.out); r.code != 0 || got != text {
		c.Errorf("az %s %q: exit %d, %q, not %q\n%s", line, more, r.code, got, text, r.err)
	}
}

// refused calls az, which must end with an exit code and say something.
func (c *cli) refused(code int, says, line string, more ...string) {
	c.Helper()
	if r := c.run(line, more...); r.code != code || !strings.Contains(r.err, says) {
		c.Errorf("az %s %q: exit %d, not %d, saying %q, not %q", line, more, r.code, code, r.err, says)
	}
}

// token asks az for an access token.
func (c *cli) token() string {
	c.Helper()
	o := object(c.az("account get-access-token"))
	s, _ := o["accessToken"].(string)
	return s
}

// get reads a resource without az, at the api-version that az uses.
func (c *cli) get(id, version string) map[string]any {
	c.Helper()
	_, o := c.ask(c.token(), id, version)
	return o
}

func (c *cli) ask(token, id, version string) (status int, o map[string]any) {
	c.Helper()
	sep := "?"
	if strings.Contains(id, "?") {
		sep = "&"
	}
	req, err := http.NewRequestWithContext(c.Context(), http.MethodGet, c.Endpoint+id+sep+"api-version="+version, nil)
	if err != nil {
		c.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := c.http.Do(req)
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		c.Fatal(err)
	}
	if len(data) > 0 {
		if err := json.Unmarshal(data, &o); err != nil {
			c.Fatalf("%s: %v\n%s", id, err, data)
		}
	}
	return resp.StatusCode, o
}

// named is the member of a list that has this name. It must be there.
func (c *cli) named(l any, name string) map[string]any {
	c.Helper()
	for _, e := range list(l) {
		if s, _ := at(e, "name").(string); strings.EqualFold(s, name) {
			return object(e)
		}
	}
	c.Fatalf("%s is not in the list of %d", name, len(list(l)))
	return nil
}

// plain takes away what az adds to a VM for -d, so that the rest can be held against the VM.
func plain(vm any) map[string]any {
	o := maps.Clone(object(vm))
	for _, k := range []string{"powerState", "publicIps", "privateIps", "macAddresses", "fqdns"} {
		delete(o, k)
	}
	return o
}

// gone demands that a resource does not exist.
func (c *cli) gone(id, version string) {
	c.Helper()
	if status, _ := c.ask(c.token(), id, version); status != http.StatusNotFound {
		c.Errorf("%s still answers %d", id, status)
	}
}

// agrees holds what az printed against the resource itself.
func (c *cli) agrees(printed any, id, version string, unshown ...string) map[string]any {
	c.Helper()
	stored := c.get(id, version)
	for _, d := range az.Differences(printed, stored, renamed, unshown...) {
		c.Errorf("%s: %s", id, d)
	}
	return stored
}

// renamed are the members that az calls otherwise than Azure.
var renamed = map[string]string{
	"enableHttpsTrafficOnly": "supportsHttpsTrafficOnly", "networkRuleSet": "networkAcls", "virtualNetworkResourceId": "id", "ipAddressOrRange": "value",
	"enableNfsV3": "isNfsV3Enabled", "typePropertiesType": "properties.type",
}

// in makes a resource group of the part's own.
func (c *cli) in(name string) {
	c.Helper()
	c.group = name
	c.az("group create -l westus2 -n " + name)
}

// id is the id of a resource in the part's group.
func (c *cli) id(typ, name string) string {
	return "/subscriptions/" + c.SubscriptionID + "/resourceGroups/" + c.group + "/providers/" + typ + "/" + name
}

func object(v any) map[string]any {
	o, _ := v.(map[string]any)
	return o
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// at follows names and, for lists, their first element.
func at(v any, path ...string) any {
	for _, p := range path {
		if l, ok := v.([]any); ok {
			if len(l) == 0 {
				return nil
			}
			v = l[0]
		}
		v = object(v)[p]
	}
	return v
}

// equal holds one value against what it should be.
func (c *cli) equal(what string, got, want any) {
	c.Helper()
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	if !bytes.Equal(a, b) {
		c.Errorf("%s: %s, not %s", what, a, b)
	}
}

// matches holds one text against a pattern.
func (c *cli) matches(what string, got any, pattern string) {
	c.Helper()
	if s, _ := got.(string); !regexp.MustCompile(pattern).MatchString(s) {
		c.Errorf("%s: %v does not match %s", what, got, pattern)
	}
}
