package azure_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azlin-dev/azlin/azure"
)

const subscription = "11111111-2222-3333-4444-555555555555"

// handler serves a client in-process: no sockets, so that it works in a synctest bubble.
type handler http.HandlerFunc

func (h handler) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	h(w, r)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// token is a credential that always has one.
type token struct{}

func (token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "secret-token", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func open(t *testing.T, h http.HandlerFunc, change ...func(*azure.Options)) *azure.Client {
	t.Helper()
	o := azure.Options{
		Target:     azure.Target{SubscriptionID: subscription},
		Credential: token{},
		HTTP:       &http.Client{Transport: handler(h)},
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

func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	reply(w, status, `{"error":{"code":"`+code+`","message":"`+message+`"}}`)
}

// collected gathers values from several goroutines.
type collected[T any] struct {
	mu  sync.Mutex
	all []T
}

func (c *collected[T]) add(v T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, v)
}

func (c *collected[T]) list() []T {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]T(nil), c.all...)
}
