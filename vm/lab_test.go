package vm_test

import (
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/azlin-dev/azlin/audit"
	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/vm"
)

const (
	group  = "azlin-rg"
	region = "westus2"
	key    = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9hJ5Wq3X0mV9p4mYQ0gJd2bq0m2m8zjv6iWf6yqk3f ann@laptop"
)

// lab is a local Azure with a client in front of it.
type lab struct {
	t   *testing.T
	emu *emulator.Emulator
}

func newLab(t *testing.T, o emulator.Options) *lab {
	t.Helper()
	e, err := emulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return &lab{t: t, emu: e}
}

// open is what a new process does: another client, and nothing remembered.
func (l *lab) open(change ...func(*azure.Options)) (*vm.Service, *azure.Client) {
	l.t.Helper()
	const address = "https://azure.test"
	cloud, err := azure.Custom("emulator", address, address, "", "")
	if err != nil {
		l.t.Fatal(err)
	}
	id := l.emu.Identity()
	auth, err := azure.NewAuthenticator(azure.AuthOptions{
		Cloud: cloud, TenantID: id.TenantID, ClientID: id.ClientID, ClientSecret: id.ClientSecret, HTTP: l.emu.Client(),
	})
	if err != nil {
		l.t.Fatal(err)
	}
	cred, err := auth.Credential()
	if err != nil {
		l.t.Fatal(err)
	}
	o := azure.Options{
		Target: azure.Target{Cloud: cloud, TenantID: id.TenantID, SubscriptionID: id.SubscriptionID}, Credential: cred, HTTP: l.emu.Client(),
	}
	for _, f := range change {
		f(&o)
	}
	c, err := azure.Open(o)
	if err != nil {
		l.t.Fatal(err)
	}
	return vm.New(c, vm.Options{}), c
}

// resources counts what exists, without the kinds that have none.
func (l *lab) resources() map[string]int {
	out := map[string]int{}
	for kind, n := range l.emu.Counts().Resources {
		if n > 0 {
			out[kind] = n
		}
	}
	return out
}

func config(name string) vm.Config {
	return vm.Config{
		Name: name, ResourceGroup: group, Region: region, Size: "Standard_D2s_v5", SSHPublicKeys: []string{key},
		CustomData: []byte("#cloud-config\n"), SSHSources: []netip.Prefix{netip.MustParsePrefix("203.0.113.10/32")},
		Owner: "ann", OperationID: "op-" + name, HostKey: "ssh-ed25519 AAAAhost",
	}
}

// tapped is a transport that shows each request to see before it is sent. When see returns an error,
// that is the answer; afterwards may replace the answer.
type tapped struct {
	http.RoundTripper
	see        func(*http.Request) error
	afterwards func(*http.Request, *http.Response) error
}

func (t tapped) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.see != nil {
		if err := t.see(r); err != nil {
			return nil, err
		}
	}
	resp, err := t.RoundTripper.RoundTrip(r)
	if err == nil && t.afterwards != nil {
		if err := t.afterwards(r, resp); err != nil {
			return nil, err
		}
	}
	return resp, err
}

// recorded collects audit records.
type recorded struct {
	mu  sync.Mutex
	all []audit.Record
}

func (c *recorded) add(r audit.Record) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, r)
	return nil
}

// forbid turns an answer into the refusal that a principal without rights gets.
func forbid(resp *http.Response) error {
	if err := resp.Body.Close(); err != nil {
		return err
	}
	resp.StatusCode, resp.Status = http.StatusForbidden, "403 Forbidden"
	resp.Body = io.NopCloser(strings.NewReader(
		`{"error":{"code":"AuthorizationFailed","message":"The client does not have authorization to perform this action."}}`))
	resp.ContentLength = -1
	return nil
}
