package azure_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/test/wire"
)

// token is a credential that always has one.
type token struct{}

func (token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "secret-token", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func open(t *testing.T, h http.HandlerFunc, change ...func(*azure.Options)) *azure.Client {
	t.Helper()
	o := azure.Options{
		Target:     azure.Target{SubscriptionID: wire.Subscription},
		Credential: token{},
		HTTP:       &http.Client{Transport: wire.Handler(h)},
	}
	for _, f := range change {
		f(&o)
	}
	c, err := azure.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
