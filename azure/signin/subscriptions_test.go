package signin_test

import (
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/emulator"
)

func TestSubscriptions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, err := emulator.New(emulator.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		const address = "https://azure.test"
		cloud, err := azure.Custom("emulator", address, address, "", "")
		if err != nil {
			t.Fatal(err)
		}
		id := e.Identity()
		auth, err := signin.NewAuthenticator(signin.Options{
			Cloud: cloud, TenantID: id.TenantID, ClientID: id.ClientID, ClientSecret: id.ClientSecret, HTTP: e.Client(),
		})
		if err != nil {
			t.Fatal(err)
		}
		credential, err := auth.Credential()
		if err != nil {
			t.Fatal(err)
		}
		got, err := signin.Subscriptions(t.Context(), azure.Options{Target: azure.Target{Cloud: cloud}, Credential: credential, HTTP: e.Client()})
		if err != nil {
			t.Fatal(err)
		}
		want := []signin.Subscription{{ID: id.SubscriptionID, Name: "Local emulator", State: "Enabled", TenantID: id.TenantID}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}
