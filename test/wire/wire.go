// Package wire serves HTTP clients of tests in process, without sockets, so that they work in virtual time.
package wire

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/azlin-dev/azlin/azure"
)

const Subscription = "11111111-2222-3333-4444-555555555555"

// Handler serves a client in-process: no sockets, so that it works in a synctest bubble.
type Handler http.HandlerFunc

func (h Handler) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	h(w, r)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

func Reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

func Refuse(w http.ResponseWriter, status int, code, message string) {
	Reply(w, status, `{"error":{"code":"`+code+`","message":"`+message+`"}}`)
}

// Collected gathers values from several goroutines.
type Collected[T any] struct {
	mu  sync.Mutex
	all []T
}

func (c *Collected[T]) Add(v T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, v)
}

// Record is Add for hooks that may fail.
func (c *Collected[T]) Record(v T) error {
	c.Add(v)
	return nil
}

func (c *Collected[T]) List() []T {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]T(nil), c.all...)
}

// LocalCloud is a cloud on this machine, which nobody needs to be asked about.
func LocalCloud(t *testing.T) azure.Cloud {
	t.Helper()
	c, err := azure.Custom("emulator", "https://127.0.0.1:4443", "https://127.0.0.1:4443/", "", "")
	if err != nil {
		t.Fatal(err)
	}
	return c
}
