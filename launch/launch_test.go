package launch_test

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azlin-dev/azlin"
	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/host"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/local/progress"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/remote/repository"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/provision"
)

func TestMain(m *testing.M) {
	emulator.HostMain()
	os.Exit(m.Run())
}

// cloud is an emulator with hosts, and a person's files.
type cloud struct {
	*emulator.Emulator

	dir  string
	key  keypair.KeyPair
	port int
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	return newCloudWith(t, emulator.Options{})
}

func newCloudWith(t *testing.T, o emulator.Options) *cloud {
	t.Helper()
	c := &cloud{dir: t.TempDir()}
	runtime, err := host.Open(host.Options{
		Dir: filepath.Join(c.dir, "hosts"), Port: 2700 + os.Getpid()%200, OperatorIP: netip.MustParseAddr("203.0.113.10"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := runtime.Available(); err != nil {
		t.Skip("emulated VMs cannot run here: ", err)
	}
	c.port = runtime.Port()
	o.Hosts = runtime
	if c.Emulator, err = emulator.New(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(c.Close(), runtime.Close()); err != nil {
			t.Error(err)
		}
	})
	if c.key, err = keypair.GenerateKeyPair(filepath.Join(c.dir, "ssh"), ""); err != nil {
		t.Fatal(err)
	}
	return c
}

// open is one run of azlin on a machine with the given state directory. around (may be nil) stands
// between it and the cloud.
func (c *cloud) open(t *testing.T, state string, around func(http.RoundTripper) http.RoundTripper) *azlin.Client {
	t.Helper()
	id := c.Identity()
	const base = "https://azure.test"
	where, err := azure.Custom("emulator", base, base, "", "")
	if err != nil {
		t.Fatal(err)
	}
	httpClient := c.Client()
	if around != nil {
		httpClient = &http.Client{Transport: around(httpClient.Transport)}
	}
	auth, err := signin.NewAuthenticator(signin.Options{
		Cloud: where, TenantID: id.TenantID, SubscriptionID: id.SubscriptionID, ClientID: id.ClientID,
		ClientSecret: id.ClientSecret, HTTP: c.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	var credential azcore.TokenCredential
	if credential, err = auth.Credential(); err != nil {
		t.Fatal(err)
	}
	client, err := azlin.Open(azlin.Options{
		Target:     azure.Target{Cloud: where, TenantID: id.TenantID, SubscriptionID: id.SubscriptionID, Region: "westus2"},
		Credential: credential, HTTP: httpClient, StateDir: filepath.Join(c.dir, state), SSHPort: c.port,
		EchoServices: []string{base + "/echo/ipv4/1", base + "/echo/ipv4/2"}, User: "someone",
		Retry: policy.RetryOptions{MaxRetries: -1},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (c *cloud) request(name string) launch.Request {
	return launch.Request{
		Config:  provision.Config{Name: name, ResourceGroup: "g", Size: "Standard_B2s"},
		KeyPath: c.key.Private, SSHTimeout: 30 * time.Second,
	}
}

// run plans and runs.
func run(ctx context.Context, client *azlin.Client, r launch.Request) (*launch.Result, error) {
	display := progress.New(0, nil)
	plan, err := client.Launcher.Plan(ctx, r, display)
	if err != nil {
		return nil, err
	}
	return client.Launcher.Run(ctx, plan, display)
}

func gitRepository(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "project")
	for _, args := range [][]string{
		{"init", "-q", "-b", "trunk", dir},
		{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "--allow-empty", "-m", "first"},
		{"-C", dir, "branch", "feature"},
	} {
		if out, err := exec.CommandContext(t.Context(), "git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
	}
	return dir
}

func TestLaunchToAClonedRepository(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	client := c.open(t, "laptop", nil)
	r := c.request("dev")
	var err error
	if r.Repository, err = repository.Parse("file://"+gitRepository(t), "feature"); err != nil {
		t.Fatal(err)
	}
	got, err := run(t.Context(), client, r)
	if err != nil {
		t.Fatal(err)
	}
	if !got.VM.IsRunning() || !got.VM.Managed || got.VM.SessionName != "dev" || len(got.Warnings) > 0 {
		t.Errorf("got %+v", got)
	}
	out, err := remote.Execute(t.Context(), got.Host, "git -C project log -1 --format='%s %D'; hostname; ls -A", 20*time.Second)
	if err != nil || !strings.HasPrefix(out.Stdout, "first HEAD -> feature") || !strings.Contains(out.Stdout, "\ndev\n") {
		t.Errorf("on the VM: %+v, %v", out, err)
	}
	if strings.Contains(out.Stdout, ".azlin-clone") {
		t.Error("the clone left its temporary directory behind")
	}
	left, err := filepath.Glob(filepath.Join(c.dir, "laptop", "operations", "*.json"))
	if err != nil || len(left) > 0 {
		t.Errorf("operations are left: %v, %v", left, err)
	}

	// The name is taken now, on every machine.
	for _, state := range []string{"laptop", "other"} {
		if _, err := run(t.Context(), c.open(t, state, nil), c.request("dev")); errkind.Of(err) != errkind.Conflict {
			t.Errorf("again from %s: %v", state, err)
		}
	}
	// Another machine reaches the VM with a verified key, from Azure's tag alone.
	other := c.open(t, "other", nil)
	match, err := other.VMs.Resolve(t.Context(), "dev", "")
	if err != nil {
		t.Fatal(err)
	}
	if match.VM.HostKey() == "" {
		t.Error("the tag with the host key is missing")
	}
}

func TestPlanRefusesBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	client := c.open(t, "laptop", nil)
	for name, change := range map[string]func(*launch.Request){
		"a bad name":        func(r *launch.Request) { r.Name = "-x" },
		"a bad zone":        func(r *launch.Request) { r.Zone = "9" },
		"a bad user":        func(r *launch.Request) { r.AdminUsername = "root" },
		"a bad source":      func(r *launch.Request) { r.SSHSource = "everyone" },
		"an absent key":     func(r *launch.Request) { r.KeyPath = "/nonexistent" },
		"an absent project": func(r *launch.Request) { r.Repository, _ = repository.Parse("file:///nonexistent/project", "") },
	} {
		r := c.request("dev")
		change(&r)
		if _, err := run(t.Context(), client, r); errkind.Of(err) != errkind.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := client.Azure.Requests(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	r := c.request("dev")
	r.Size = "Standard_Nonsense"
	if _, err := run(t.Context(), client, r); errkind.Of(err) != errkind.Invalid {
		t.Errorf("an unknown size: %v", err)
	}
	for method := range client.Azure.RequestsByMethod() {
		if method != http.MethodGet && method != http.MethodHead {
			t.Errorf("a %s was sent for a plan that was refused", method)
		}
	}
}

// hostOf is how another command on the same machine would reach the VM.
func hostOf(t *testing.T, c *cloud, state string, i vm.Info) remote.Host {
	t.Helper()
	h, err := c.open(t, state, nil).Hosts.Host(t.Context(), i, reach.Options{KeyPath: c.key.Private})
	if err != nil {
		t.Fatal(err)
	}
	return h
}
