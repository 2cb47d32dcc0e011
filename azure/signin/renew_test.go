package signin_test

import (
	"net/http"
	"testing"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/fault"
	"github.com/azlin-dev/azlin/errkind"
)

// TestTokensThatAzureRefusesAreRenewed: by Azure's clock a token ends earlier than by ours. Each time a new
// one takes its place; when that is refused as well, it is an error, after one repetition.
func TestTokensThatAzureRefusesAreRenewed(t *testing.T) {
	t.Parallel()
	g := newGround(t, emulator.Options{})
	o := g.base()
	o.ClientID, o.ClientSecret = g.e.Identity().ClientID, g.e.Identity().ClientSecret
	a, err := signin.NewAuthenticator(o)
	if err != nil {
		t.Fatal(err)
	}
	c := g.open(a)
	list := func() error {
		_, err := c.Do(t.Context(), http.MethodGet, "/subscriptions/"+c.SubscriptionID()+"/resourcegroups", "2021-04-01", nil)
		return err
	}
	if err := list(); err != nil {
		t.Fatal(err)
	}
	before := g.tokens()
	for range 3 {
		if _, err := g.e.AddFault(fault.Rule{Effect: fault.Expired, Path: "/subscriptions/*", Count: 1}); err != nil {
			t.Fatal(err)
		}
		if err := list(); err != nil {
			t.Error(err)
		}
	}
	if n := g.tokens() - before; n != 3 {
		t.Errorf("%d new tokens for three refusals", n)
	}
	if err := list(); err != nil {
		t.Error(err)
	}
	if _, err := g.e.AddFault(fault.Rule{Effect: fault.Expired, Path: "/subscriptions/*"}); err != nil {
		t.Fatal(err)
	}
	sent := c.Requests()
	if err := list(); errkind.Of(err) != errkind.Auth || azure.Code(err) != "ExpiredAuthenticationToken" {
		t.Errorf("refused for good: %v", err)
	}
	if n := c.Requests() - sent; n != 2 {
		t.Errorf("%d requests, want the first and one repetition", n)
	}
}
