// Package person is somebody who works with azlin, for tests: files and keys, a local Azure whose VMs can be reached, and
// azlin's own client.
package person

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azlin-dev/azlin"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/host"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/local/progress"
	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/vm/provision"
)

// Group and Size are those of the VMs of a Request.
const (
	Group = "g"
	Size  = "Standard_B2s"
)

// Person has files below Dir and a key, and an Azure whose VMs are hosts.
type Person struct {
	*local.Azure

	Dir     string
	Key     keypair.KeyPair
	Runtime *host.Runtime // nil: VMs answer nobody

	t *testing.T
}

// New makes a person with an Azure and hosts.
func New(t *testing.T, o emulator.Options) *Person {
	t.Helper()
	hosts := local.Hosts(t, host.Options{OperatorIP: local.Operator()})
	o.Hosts, o.OperatorIP = hosts, local.Operator()
	p := Planning(t, o)
	p.Runtime = hosts
	return p
}

// Planning makes a person whose VMs are no hosts, which is enough for everything short of SSH.
func Planning(t *testing.T, o emulator.Options) *Person {
	t.Helper()
	p := &Person{Azure: local.New(t, o), Dir: t.TempDir(), t: t}
	var err error
	if p.Key, err = keypair.GenerateKeyPair(p.Path("ssh"), ""); err != nil {
		t.Fatal(err)
	}
	return p
}

// Path is the path of a file.
func (p *Person) Path(names ...string) string {
	return filepath.Join(append([]string{p.Dir}, names...)...)
}

// Open is one run of azlin.
func (p *Person) Open(change ...func(*azlin.Options)) *azlin.Client {
	p.t.Helper()
	base := p.Options()
	base.Target.Region = "westus2"
	o := azlin.Options{
		Target: base.Target, Credential: base.Credential, HTTP: base.HTTP, StateDir: p.Path("state"), User: "someone",
		EchoServices: []string{local.Address + "/echo/ipv4/1", local.Address + "/echo/ipv4/2"}, PriceService: local.Address + "/api/retail/prices",
		Retry: policy.RetryOptions{MaxRetries: -1}, Launch: launch.Defaults{KeyPath: p.Key.Private},
	}
	if p.Runtime != nil {
		o.SSHPort = p.Runtime.Port()
	}
	for _, f := range change {
		f(&o)
	}
	c, err := azlin.Open(o)
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

// At is for Open: a run on another machine, or by somebody else, with files of its own.
func (p *Person) At(state string) func(*azlin.Options) {
	return func(o *azlin.Options) { o.StateDir = p.Path(state) }
}

// Through is for Open: around (may be nil) stands between azlin and Azure.
func Through(around func(http.RoundTripper) http.RoundTripper) func(*azlin.Options) {
	return func(o *azlin.Options) {
		if around != nil {
			o.HTTP = &http.Client{Transport: around(o.HTTP.Transport)}
		}
	}
}

// Request is what a launch of a small VM without tools asks for.
func (p *Person) Request(name string) launch.Request {
	return launch.Request{
		Config:  provision.Config{Name: name, ResourceGroup: Group, Size: Size},
		KeyPath: p.Key.Private, SSHTimeout: 30 * time.Second, Setup: launch.Setup{Tools: []string{}},
	}
}

// Launch plans and runs what makes a VM, which may be changed before.
func (p *Person) Launch(c *azlin.Client, name string, change ...func(*launch.Request)) *launch.Result {
	p.t.Helper()
	r := p.Request(name)
	for _, f := range change {
		f(&r)
	}
	display := progress.New(0, nil)
	plan, err := c.Launcher.Plan(p.t.Context(), r, display)
	if err != nil {
		p.t.Fatal(err)
	}
	result, err := c.Launcher.Run(p.t.Context(), plan, display)
	if err != nil {
		p.t.Fatal(err)
	}
	return result
}

// Repository makes a git repository with one commit, and the branches trunk and feature.
func Repository(t *testing.T, dir string) string {
	t.Helper()
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
