package signin_test

import (
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/test/local"
)

func TestSubscriptions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := local.New(t, emulator.Options{})
		id, o := a.Emulator.Identity(), a.Options()
		o.Target = azure.Target{Cloud: o.Target.Cloud}
		got, err := signin.Subscriptions(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		want := []signin.Subscription{{ID: id.SubscriptionID, Name: "Local emulator", State: "Enabled", TenantID: id.TenantID}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}
