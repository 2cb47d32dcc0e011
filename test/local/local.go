// Package local is an Azure for tests: the emulator in the test's own process, its VMs, clients in front of it, and ways to cut
// them off in the middle.
package local

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/emulator"
)

// Azure is an emulator without a network. It works in virtual time (testing/synctest) as long as no VM is a host.
type Azure struct {
	Emulator *emulator.Emulator
	t        testing.TB
}

// Address is where clients of the test's own process believe that Azure is.
const Address = "https://azure.test"

// Cloud is that Azure.
func Cloud(t testing.TB) azure.Cloud {
	t.Helper()
	cloud, err := azure.Custom("emulator", Address, Address, "", "")
	if err != nil {
		t.Fatal(err)
	}
	return cloud
}

// New makes an emulator, which is closed with the test.
func New(t testing.TB, o emulator.Options) *Azure {
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
	return &Azure{e, t}
}

// SignIn is what the default service principal signs in with.
func (a *Azure) SignIn() signin.Options {
	a.t.Helper()
	id := a.Emulator.Identity()
	return signin.Options{
		Cloud: Cloud(a.t), TenantID: id.TenantID, SubscriptionID: id.SubscriptionID, ClientID: id.ClientID, ClientSecret: id.ClientSecret,
		HTTP: a.Emulator.Client(),
	}
}

// Options are a client's that signs in so.
func (a *Azure) Options() azure.Options {
	a.t.Helper()
	how := a.SignIn()
	auth, err := signin.NewAuthenticator(how)
	if err != nil {
		a.t.Fatal(err)
	}
	credential, err := auth.Credential()
	if err != nil {
		a.t.Fatal(err)
	}
	return azure.Options{
		Target:     azure.Target{Cloud: how.Cloud, TenantID: how.TenantID, SubscriptionID: how.SubscriptionID},
		Credential: credential, HTTP: how.HTTP,
	}
}

// Client is what a new process has: nothing is remembered.
func (a *Azure) Client(change ...func(*azure.Options)) *azure.Client {
	a.t.Helper()
	o := a.Options()
	for _, f := range change {
		f(&o)
	}
	c, err := azure.Open(o)
	if err != nil {
		a.t.Fatal(err)
	}
	return c
}

// DoorOf is an emulator of another process, as its own principal sees it.
func DoorOf(s emulator.Status) (*azure.Client, error) {
	cloud, err := azure.Custom("emulator", s.Endpoint, s.Endpoint, "", s.CAFile)
	if err != nil {
		return nil, err
	}
	auth, err := signin.NewAuthenticator(signin.Options{
		Cloud: cloud, TenantID: s.TenantID, SubscriptionID: s.SubscriptionID, ClientID: s.ClientID, ClientSecretFile: s.ClientSecretFile,
	})
	if err != nil {
		return nil, err
	}
	credential, err := auth.Credential()
	if err != nil {
		return nil, err
	}
	return azure.Open(azure.Options{Target: azure.Target{Cloud: cloud, TenantID: s.TenantID, SubscriptionID: s.SubscriptionID}, Credential: credential})
}

// Resources counts what exists, without the kinds that have none.
func (a *Azure) Resources() map[string]int {
	out := map[string]int{}
	for kind, n := range a.Emulator.Counts().Resources {
		if n > 0 {
			out[kind] = n
		}
	}
	return out
}

// OnlyShared fails the test unless nothing but resource groups and networks that VMs share is left.
func (a *Azure) OnlyShared(t *testing.T) {
	t.Helper()
	for kind, n := range a.Resources() {
		if kind != "Microsoft.Resources/resourceGroups" && kind != "Microsoft.Network/virtualNetworks" {
			t.Errorf("%d %s left", n, kind)
		}
	}
}

// Tap is a transport that shows each request to See before it is sent. When See returns an error, that is the answer;
// Afterwards may replace the answer. Both may be nil.
type Tap struct {
	http.RoundTripper
	See        func(*http.Request) error
	Afterwards func(*http.Request, *http.Response) error
}

// RoundTrip sends a request.
func (t Tap) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.See != nil {
		if err := t.See(r); err != nil {
			return nil, err
		}
	}
	resp, err := t.RoundTripper.RoundTrip(r)
	if err == nil && t.Afterwards != nil {
		if err := t.Afterwards(r, resp); err != nil {
			return nil, err
		}
	}
	return resp, err
}

// Forbid turns an answer into the refusal that a principal without rights gets.
func Forbid(resp *http.Response) error {
	if err := resp.Body.Close(); err != nil {
		return err
	}
	resp.StatusCode, resp.Status, resp.ContentLength = http.StatusForbidden, "403 Forbidden", -1
	resp.Body = io.NopCloser(strings.NewReader(
		`{"error":{"code":"AuthorizationFailed","message":"The client does not have authorization to perform this action."}}`))
	return nil
}
