package pacing

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azlin-dev/azlin/azure/answer"
)

// codeRetry repeats requests after temporary refusals, which it recognises by the error code, not the status. It wraps
// azcore's retry, which handles statuses and transport errors.
type codeRetry struct {
	recent *recent
	log    *slog.Logger
}

// patience is how long to retry after a refusal.
type patience struct {
	first, most time.Duration // pause before the first retry, and its maximum while it doubles
	total       time.Duration
	why         string // reason for the user; empty: not reported
}

// nicReservation is how long Azure reserves the NIC of a failed create for that VM.
const nicReservation = 180 * time.Second

func patienceFor(code string) (patience, bool) {
	switch strings.ToLower(code) {
	case "anotheroperationinprogress", "retryableerror", "retryableerrorduetoanotheroperation":
		return patience{time.Second, 15 * time.Second, 4 * time.Minute, "Azure is busy with another change of the same resource"}, true
	case "referencedresourcenotprovisioned":
		return patience{time.Second, 10 * time.Second, 2 * time.Minute, "a resource that this one needs is not ready yet"}, true
	case "nicreservedforanothervm":
		return patience{
			10 * time.Second, 20 * time.Second, nicReservation + 40*time.Second,
			"Azure reserves the network interface of a failed create for 180 s",
		}, true
	}
	return patience{}, false
}

// replication is how long Azure may report "not found" for a new resource.
var replication = patience{time.Second, 4 * time.Second, 20 * time.Second, ""}

// NewRetry returns the policy that repeats requests after temporary refusals; use one per client.
func NewRetry(log *slog.Logger) policy.Policy { return &codeRetry{recent: newRecent(), log: log} }

func (p *codeRetry) Do(req *policy.Request) (*http.Response, error) {
	ctx := req.Raw().Context()
	method, key := req.Raw().Method, resourceKey(req.Raw().URL.Path)
	began := time.Now()
	for try := 0; ; try++ {
		if err := req.RewindBody(); err != nil {
			return nil, err
		}
		resp, err := req.Clone(ctx).Next()
		if err != nil && method == http.MethodPatch && answer.CutShort(err) && try < cutShortTries {
			if err := sleep(ctx, replication.first); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return resp, err
		}
		if resp.StatusCode < http.StatusBadRequest {
			p.recent.learn(method, key, resp.StatusCode)
			return resp, nil
		}
		code := answer.Code(resp)
		wait, ok := patienceFor(code)
		if !ok && p.recent.explains(method, key, code, answer.Message(resp)) {
			wait, ok = replication, true
		}
		if !ok {
			return resp, nil
		}
		pause := min(wait.first<<min(try, 8), wait.most)
		if asked, given := answer.RetryAfter(resp.Header, time.Now()); given && asked > 0 {
			pause = asked
		}
		if time.Since(began)+pause > wait.total {
			return resp, nil
		}
		if wait.why != "" && try == 0 {
			Notify(ctx, fmt.Sprintf("%s (%s): waiting for up to %s", wait.why, code, wait.total))
		}
		p.log.DebugContext(ctx, "azure refused for now", "method", method, "path", req.Raw().URL.Path, "code", code, "pause", pause)
		runtime.Drain(resp)
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// cutShortTries is how often a patch is repeated after an incomplete answer. azcore repeats the other idempotent methods,
// but not this one; repeating a merge patch changes nothing.
const cutShortTries = 3

// sleep waits, or returns ctx's error when that ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// recent remembers what this client created in the last half minute.
type recent struct {
	mu      sync.Mutex
	created map[string]time.Time // by resourceKey
}

const recently = 30 * time.Second

func newRecent() *recent { return &recent{created: map[string]time.Time{}} }

func (r *recent) learn(method, key string, status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	for k, at := range r.created {
		if now.Sub(at) > recently {
			delete(r.created, k)
		}
	}
	switch {
	case method == http.MethodPut && (status == http.StatusCreated || status == http.StatusOK || status == http.StatusAccepted):
		r.created[key] = now
	case method == http.MethodDelete:
		// A deletion also deletes other resources, which are then truly absent.
		group := groupKey(key)
		for k := range r.created {
			if groupKey(k) == group {
				delete(r.created, k)
			}
		}
	}
}

// explains reports whether "not found" must be a delay after our own write: of the resource itself, its group, its parent,
// or one that the refused request refers to.
func (r *recent) explains(method, key, code, message string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	young := func(k string) bool { at, ok := r.created[k]; return ok && time.Since(at) <= recently }
	switch strings.ToLower(code) {
	case "resourcegroupnotfound":
		return young(groupKey(key))
	case "resourcenotfound", "notfound":
		if method == http.MethodDelete {
			return false
		}
		if young(key) {
			return true
		}
		return method == http.MethodPut && r.mentions(message)
	case "parentresourcenotfound":
		i := strings.LastIndexByte(key, '/')
		if i > 0 {
			i = strings.LastIndexByte(key[:i], '/')
		}
		return i > 0 && young(key[:i])
	case "invalidresourcereference":
		return r.mentions(message)
	}
	return false
}

// mentions requires the lock.
func (r *recent) mentions(message string) bool {
	message = strings.ToLower(message)
	for k, at := range r.created {
		if time.Since(at) <= recently && strings.Contains(message, k) {
			return true
		}
	}
	return false
}

// resourceKey is a resource's path in a form that is the same for the same resource.
func resourceKey(path string) string { return strings.ToLower(strings.TrimSuffix(path, "/")) }

// groupKey returns the resource group's part of a key.
func groupKey(key string) string {
	parts := strings.SplitN(key, "/", 6)
	if len(parts) < 5 {
		return key
	}
	return strings.Join(parts[:5], "/")
}
