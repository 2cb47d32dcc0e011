package launch_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/local/progress"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/repository"
	"github.com/azlin-dev/azlin/test/local/person"
	"github.com/azlin-dev/azlin/vm"
)

func TestMain(m *testing.M) {
	emulator.HostMain()
	os.Exit(m.Run())
}

// cloud is a person's Azure, with hosts.
type cloud struct {
	*person.Person
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	return newCloudWith(t, emulator.Options{})
}

func newCloudWith(t *testing.T, o emulator.Options) *cloud {
	t.Helper()
	return &cloud{person.New(t, o)}
}

// open is one run of azlin on a machine with the given state directory. around (may be nil) stands
// between it and the cloud.
func (c *cloud) open(t *testing.T, state string, around func(http.RoundTripper) http.RoundTripper) *azlin.Client {
	t.Helper()
	return c.Open(c.At(state), person.Through(around))
}

// request asks for a VM with the tools that there are by default.
func (c *cloud) request(name string) launch.Request {
	r := c.Request(name)
	r.Setup = launch.Setup{}
	return r
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
	return person.Repository(t, filepath.Join(t.TempDir(), "project"))
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
	left, err := filepath.Glob(filepath.Join(c.Dir, "laptop", "operations", "*.json"))
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
	h, err := c.open(t, state, nil).Hosts.Host(t.Context(), i, reach.Options{KeyPath: c.Key.Private})
	if err != nil {
		t.Fatal(err)
	}
	return h
}
