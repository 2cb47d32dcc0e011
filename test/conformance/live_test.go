//go:build live

package conformance_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/azlin-dev/azlin/test/conformance"
)

// TestAzure runs the cases against a real subscription, in a group of their own that it deletes. It needs
// AZURE_SUBSCRIPTION_ID and AZURE_TENANT_ID, and whatever DefaultAzureCredential signs in with; AZURE_LOCATION
// is the region, westus2 by default. It costs cents.
func TestAzure(t *testing.T) {
	sub, tenant := os.Getenv("AZURE_SUBSCRIPTION_ID"), os.Getenv("AZURE_TENANT_ID")
	if sub == "" || tenant == "" {
		t.Skip("AZURE_SUBSCRIPTION_ID and AZURE_TENANT_ID say where")
	}
	location := os.Getenv("AZURE_LOCATION")
	if location == "" {
		location = "westus2"
	}
	cred, err := azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{TenantID: tenant})
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4)
	_, _ = rand.Read(b) // never fails
	target := conformance.Target{
		Base: "https://management.azure.com", HTTP: &http.Client{Timeout: time.Minute}, All: true,
		Vars: variables(sub, tenant, "", hex.EncodeToString(b), location),
		Token: func(ctx context.Context) (string, error) {
			tok, err := cred.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{"https://management.azure.com/.default"}})
			return tok.Token, err
		},
	}
	t.Cleanup(func() {
		// Whatever happened, nothing is left.
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		token, err := target.Token(ctx)
		if err != nil {
			t.Error(err)
			return
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodDelete, target.Base+target.Vars["G"]+"?api-version=2021-04-01", nil)
		if err != nil {
			t.Error(err)
			return
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := target.HTTP.Do(req)
		if err != nil {
			t.Error(err)
			return
		}
		t.Logf("deleting %s: %s", target.Vars["group"], resp.Status)
		_ = resp.Body.Close() // nothing is read
	})
	failures, err := conformance.Run(t.Context(), target, load(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range failures {
		t.Error(f)
	}
}
