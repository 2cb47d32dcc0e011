package keys_test

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azlin-dev/azlin"
	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/host"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/local/progress"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/provision"
)

func TestMain(m *testing.M) {
	emulator.HostMain()
	os.Exit(m.Run())
}

// lab is an emulator with hosts, and a person's files.
type lab struct {
	*testing.T

	cloud *emulator.Emulator
	dir   string
	port  int
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{T: t, dir: t.TempDir()}
	runtime, err := host.Open(host.Options{Dir: filepath.Join(l.dir, "hosts"), Port: 2700 + os.Getpid()%200, OperatorIP: netip.MustParseAddr("203.0.113.10")})
	if err != nil {
		t.Fatal(err)
	}
	if err := runtime.Available(); err != nil {
		t.Skip("emulated VMs cannot run here: ", err)
	}
	l.port = runtime.Port()
	if l.cloud, err = emulator.New(emulator.Options{Hosts: runtime}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(l.cloud.Close(), runtime.Close()); err != nil {
			t.Error(err)
		}
	})
	if _, err = keypair.GenerateKeyPair(l.path("ssh"), ""); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *lab) path(names ...string) string {
	return filepath.Join(append([]string{l.dir}, names...)...)
}

func (l *lab) defaultKey() string { return l.path("ssh", "azlin_key") }

// open is what a new process does. around (may be nil) stands between it and Azure.
func (l *lab) open(around func(http.RoundTripper) http.RoundTripper) *azlin.Client {
	l.Helper()
	id := l.cloud.Identity()
	const base = "https://azure.test"
	where, err := azure.Custom("emulator", base, base, "", "")
	if err != nil {
		l.Fatal(err)
	}
	hc := l.cloud.Client()
	if around != nil {
		hc = &http.Client{Transport: around(hc.Transport)}
	}
	auth, err := signin.NewAuthenticator(signin.Options{
		Cloud: where, TenantID: id.TenantID, SubscriptionID: id.SubscriptionID, ClientID: id.ClientID, ClientSecret: id.ClientSecret, HTTP: l.cloud.Client(),
	})
	if err != nil {
		l.Fatal(err)
	}
	credential, err := auth.Credential()
	if err != nil {
		l.Fatal(err)
	}
	client, err := azlin.Open(azlin.Options{
		Target:     azure.Target{Cloud: where, TenantID: id.TenantID, SubscriptionID: id.SubscriptionID, Region: "westus2"},
		Credential: credential, HTTP: hc, StateDir: l.path("state"), SSHPort: l.port,
		EchoServices: []string{base + "/echo/ipv4/1", base + "/echo/ipv4/2"}, User: "someone",
		Retry: policy.RetryOptions{MaxRetries: -1}, Launch: launch.Defaults{KeyPath: l.defaultKey()},
	})
	if err != nil {
		l.Fatal(err)
	}
	return client
}

// create makes VMs that let the default key in.
func (l *lab) create(names ...string) {
	l.Helper()
	client := l.open(nil)
	for _, name := range names {
		display := progress.New(0, nil)
		plan, err := client.Launcher.Plan(l.Context(), launch.Request{
			Config: provision.Config{Name: name, ResourceGroup: "g", Size: "Standard_B2s"}, SSHTimeout: 30 * time.Second, Setup: launch.Setup{Tools: []string{}},
		}, display)
		if err != nil {
			l.Fatal(err)
		}
		if _, err := client.Launcher.Run(l.Context(), plan, display); err != nil {
			l.Fatal(err)
		}
	}
}

func (l *lab) vm(client *azlin.Client, name string) vm.Info {
	l.Helper()
	i, err := client.VMs.Get(l.Context(), vm.Ref{ResourceGroup: "g", Name: name})
	if err != nil {
		l.Fatal(err)
	}
	return i
}

// run runs a line on a VM as somebody does who has nothing but azlin's usual way in.
func (l *lab) run(name, line string) (remote.Result, error) {
	l.Helper()
	client := l.open(nil)
	h, err := client.Hosts.Host(l.Context(), l.vm(client, name), reach.Options{KeyPath: l.defaultKey()})
	if err != nil {
		l.Fatal(err)
	}
	return remote.Execute(l.Context(), h, line, 30*time.Second)
}

// authorized is the authorized_keys of a VM.
func (l *lab) authorized(name string) string {
	l.Helper()
	r, err := l.run(name, "cat .ssh/authorized_keys")
	if err != nil || !r.Success {
		l.Fatalf("%s: %v %+v", name, err, r)
	}
	return r.Stdout
}

// letIn replaces the authorized_keys of a VM.
func (l *lab) letIn(name, content string) {
	l.Helper()
	r, err := l.run(name, "printf %s "+remote.Quote(content)+" > .ssh/authorized_keys")
	if err != nil || !r.Success {
		l.Fatalf("%s: %v %+v", name, err, r)
	}
}

func (l *lab) public(path string) string {
	l.Helper()
	line, err := keypair.PublicKeyContent(strings.TrimSuffix(path, ".pub") + ".pub")
	if err != nil {
		l.Fatal(err)
	}
	return line
}

// blob is the key in a public line.
func blob(line string) string {
	fields := strings.Fields(line)
	for n, f := range fields {
		if strings.HasPrefix(f, "ssh-") && n+1 < len(fields) {
			return fields[n+1]
		}
	}
	return ""
}

// nothingLeft wants no operation, no half-made copy and no spare key to be left over.
func (l *lab) nothingLeft() {
	l.Helper()
	for _, pattern := range []string{"state/operations/*.json", "state/keys/new-*", "state/keys/.making*", "ssh/.*"} {
		left, err := filepath.Glob(l.path(pattern))
		if err != nil || len(left) > 0 {
			l.Errorf("left over: %v, %v", left, err)
		}
	}
	for _, name := range []string{"state/keys", "state/operations"} {
		if info, err := os.Stat(l.path(name)); err == nil && info.Mode().Perm()&0o077 != 0 {
			l.Errorf("others can read %s: %v", name, info.Mode())
		}
	}
}

// killedAt is a process that is killed at its n-th request, before it is sent or after Azure has carried it out.
type killedAt struct {
	next  http.RoundTripper
	n     *atomic.Int64
	after bool
	die   context.CancelFunc
}

var errKilled = errors.New("the process was killed")

func (k killedAt) RoundTrip(r *http.Request) (*http.Response, error) {
	left := k.n.Add(-1)
	if left < 0 || left == 0 && !k.after {
		k.die()
		return nil, errKilled
	}
	resp, err := k.next.RoundTrip(r)
	if left == 0 {
		k.die()
		return nil, errors.Join(errKilled, err)
	}
	return resp, err
}
