package azure_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azlin-dev/azlin/azure/pacing"
	"github.com/azlin-dev/azlin/test/wire"
)

func contextWithTimeout(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), d)
}

// limited is a server with a token bucket, as Azure has them.
type limited struct {
	mu      sync.Mutex
	size    float64
	perSec  float64
	left    float64
	at      time.Time
	header  string // with one %d
	name    string
	refused int
	served  int
}

func (l *limited) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if l.at.IsZero() {
		l.left = l.size
	} else {
		l.left = min(l.size, l.left+l.perSec*now.Sub(l.at).Seconds())
	}
	l.at = now
	if l.left < 1 {
		l.refused++
		w.Header().Set("Retry-After", "5")
		wire.Refuse(w, 429, "TooManyRequests", "slow down")
		return
	}
	l.left--
	l.served++
	w.Header().Set(l.name, fmt.Sprintf(l.header, int(l.left)))
	wire.Reply(w, 200, `{}`)
}

func TestPacing(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		server   *limited
		requests int
		atOnce   int
		slowest  time.Duration // how much longer than the server's own rate it may take
		refusals bool          // some are expected
	}{
		{"reads of a subscription", &limited{size: 250, perSec: 25, name: "x-ms-ratelimit-remaining-subscription-reads", header: "%d"}, 600, 20, 3 * time.Second, false},
		{"a server slower than documented", &limited{size: 200, perSec: 10, name: "x-ms-ratelimit-remaining-subscription-reads", header: "%d"}, 300, 1, 20 * time.Second, true},
		{"compute lists", &limited{
			size: 140, perSec: 140. / 180, name: "x-ms-ratelimit-remaining-resource",
			header: "Microsoft.Compute/HighCostGet3Min;%d,Microsoft.Compute/HighCostGet30Min;690",
		}, 200, 4, 30 * time.Second, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := open(t, tc.server.ServeHTTP)
				began := time.Now()
				var wg sync.WaitGroup
				for range tc.atOnce {
					wg.Go(func() {
						for range tc.requests / tc.atOnce {
							if _, err := c.Do(t.Context(), http.MethodGet, "/subscriptions/"+wire.Subscription+"/providers/Microsoft.Compute/virtualMachines", "1", nil); err != nil {
								t.Error(err)
							}
						}
					})
				}
				wg.Wait()
				if tc.server.refused > 0 && !tc.refusals {
					t.Errorf("%d requests were refused", tc.server.refused)
				}
				ideal := time.Duration((float64(tc.requests) - tc.server.size) / tc.server.perSec * float64(time.Second))
				if took := time.Since(began); took > ideal+tc.slowest {
					t.Errorf("took %s, the server's own pace is %s", took, ideal)
				}
			})
		})
	}
}

func TestPacingLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := open(t, func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "virtualMachines") {
				w.Header().Set("x-ms-ratelimit-remaining-resource", "Microsoft.Compute/HighCostGet3Min;0")
			}
			wire.Reply(w, 200, `{}`)
		})
		get := func(path string) time.Duration {
			began := time.Now()
			if _, err := c.Do(t.Context(), http.MethodGet, "/subscriptions/"+wire.Subscription+path, "1", nil); err != nil {
				t.Error(err)
			}
			return time.Since(began)
		}
		const vms, nics = "/providers/Microsoft.Compute/virtualMachines", "/providers/Microsoft.Network/networkInterfaces"
		if d := get(vms); d != 0 {
			t.Errorf("the first request waited %s", d)
		}
		if d := get(nics); d != 0 {
			t.Errorf("another kind of request waited %s", d)
		}
		if d := get(vms); d < 10*time.Second || d > time.Minute {
			t.Errorf("with nothing left, the request waited %s", d)
		}
	})
}

func TestPacingSaysSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		c := open(t, func(w http.ResponseWriter, _ *http.Request) {
			if n++; n == 1 {
				w.Header().Set("Retry-After", "90")
				wire.Refuse(w, 429, "TooManyRequests", "slow down")
				return
			}
			wire.Reply(w, 200, `{}`)
		})
		var said wire.Collected[string]
		began := time.Now()
		_, err := c.Do(pacing.WithNotice(t.Context(), said.Add), http.MethodGet, "/subscriptions/s", "1", nil)
		if err != nil || time.Since(began) < 90*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		if got := said.List(); len(got) != 1 || !strings.Contains(got[0], "1m30s") {
			t.Errorf("said %q", got)
		}
	})
}
