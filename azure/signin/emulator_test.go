package signin_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/test/wire"
)

// TestAgainstEmulator signs in for real and asks for a few things.
func TestAgainstEmulator(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := local.New(t, emulator.Options{}).Emulator
		id := e.Identity()
		sign := func(secret string) *signin.Authenticator {
			a, err := signin.NewAuthenticator(signin.Options{
				Cloud: wire.LocalCloud(t), TenantID: id.TenantID, SubscriptionID: id.SubscriptionID, ClientID: id.ClientID, ClientSecret: secret,
				HTTP: e.Client(),
			})
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		if _, err := sign("wrong").Authenticate(t.Context()); !errors.Is(err, azure.ErrAuthentication) || errkind.Of(err) != errkind.Auth {
			t.Errorf("a wrong secret: %v", err)
		}
		a := sign(id.ClientSecret)
		who, err := a.Authenticate(t.Context())
		if err != nil || who.SubscriptionID != id.SubscriptionID {
			t.Fatalf("%+v, %v", who, err)
		}
		cred, err := a.Credential()
		if err != nil {
			t.Fatal(err)
		}
		c, err := azure.Open(azure.Options{
			Target: azure.Target{Cloud: wire.LocalCloud(t), SubscriptionID: id.SubscriptionID}, Credential: cred, HTTP: e.Client(),
		})
		if err != nil {
			t.Fatal(err)
		}
		const version = "2021-04-01"
		group := "/subscriptions/" + id.SubscriptionID + "/resourcegroups/g"
		body := map[string]any{"location": "westus2", "tags": map[string]string{"a": "1"}}
		if _, err := c.Do(t.Context(), http.MethodPut, group, version, body); err != nil {
			t.Fatal(err)
		}
		if err := c.MergeTags(t.Context(), group, map[string]string{"b": "2"}); err != nil {
			t.Fatal(err)
		}
		if err := c.DeleteTags(t.Context(), group, "A"); err != nil {
			t.Fatal(err)
		}
		if tags, err := c.ResourceTags(t.Context(), group); err != nil || len(tags) != 1 || tags["b"] != "2" {
			t.Errorf("tags %v, %v", tags, err)
		}
		_, err = c.Do(t.Context(), http.MethodGet, group+"/providers/Microsoft.Compute/virtualMachines/none", "2025-04-01", nil)
		if azure.Code(err) != "ResourceNotFound" || !azure.IsNotFound(err) {
			t.Errorf("absent: %v", err)
		}
		n := 0
		if err := c.Page(t.Context(), "/subscriptions/"+id.SubscriptionID+"/resourcegroups", version, func([]byte) error { n++; return nil }); err != nil || n != 1 {
			t.Errorf("%d pages, %v", n, err)
		}
		e.Advance(72 * time.Hour)
		if _, err := c.DoOperation(t.Context(), http.MethodDelete, group, version, nil, nil); err != nil {
			t.Error(err)
		}
		if _, err := c.Do(t.Context(), http.MethodGet, group, version, nil); azure.Code(err) != "ResourceGroupNotFound" {
			t.Errorf("after delete: %v", err)
		}
		if ahead := time.Until(c.Clock().Now()); ahead < 71*time.Hour {
			t.Errorf("the clock is %s ahead, the cloud 72h", ahead)
		}
	})
}
