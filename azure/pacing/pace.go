package pacing

import (
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azlin-dev/azlin/azure/answer"
)

// pacer slows requests down before Azure refuses them. Each answer reports what is left of the limits that the request
// counts against. Which limits apply is learned per kind of request, because the names of Compute's limits do not show it.
type pacer struct {
	log *slog.Logger

	mu      sync.Mutex
	buckets map[string]*bucket
	drawsOn map[string][]string // kind of request → names of the limits in its last answer
	outage  outage
}

// bucket is the known state of one limit.
type bucket struct {
	remaining float64 // at the time at, minus requests in progress
	most      float64 // the largest value seen: the limit, or slightly less
	refill    float64 // per second
	inFlight  float64
	at        time.Time
	notBefore time.Time // after a refusal
}

// longestPace limits the wait for one request: an estimate must never block a command.
const longestPace = time.Minute

// New returns the policy that spaces requests; use one per client.
func New(log *slog.Logger) *pacer {
	return &pacer{log: log, buckets: map[string]*bucket{}, drawsOn: map[string][]string{}}
}

func (p *pacer) Do(req *policy.Request) (*http.Response, error) {
	raw := req.Raw()
	ctx := raw.Context()
	kind := kindOf(raw.Method, raw.URL.Path)
	names, wait := p.reserve(kind)
	if wait > 0 {
		p.log.DebugContext(ctx, "pacing", "kind", kind, "wait", wait)
		if wait >= 5*time.Second {
			Notify(ctx, fmt.Sprintf("close to Azure's request limit: waiting %s", wait.Round(time.Second)))
		}
		if err := sleep(ctx, wait); err != nil {
			p.release(names)
			return nil, err
		}
	}
	resp, err := req.Next()
	p.release(names)
	if err != nil {
		if ctx.Err() == nil {
			p.broken()
		}
		return resp, err
	}
	p.learn(kind, raw, resp)
	if resp.StatusCode == http.StatusTooManyRequests {
		if asked, ok := answer.RetryAfter(resp.Header, time.Now()); ok && asked >= 5*time.Second {
			Notify(ctx, fmt.Sprintf("Azure asks for patience (too many requests): waiting %s", asked.Round(time.Second)))
		}
	}
	return resp, nil
}

// reserve takes one request from each bucket of its kind, and returns how long to wait until each has enough again.
func (p *pacer) reserve(kind string) ([]string, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	names := p.drawsOn[kind]
	var wait time.Duration
	for _, name := range names {
		b := p.buckets[name]
		b.advance(now)
		b.remaining--
		b.inFlight++
		if short := b.kept() - b.remaining; short > 0 && b.refill > 0 {
			wait = max(wait, time.Duration(short/b.refill*float64(time.Second)))
		}
		wait = min(wait, longestPace)
		wait = max(wait, b.notBefore.Sub(now)) // requested by Azure, not an estimate
	}
	return names, p.outage.turn(now, wait)
}

// broken records that a request got no answer.
func (p *pacer) broken() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.outage.learn(true)
}

func (p *pacer) release(names []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range names {
		p.buckets[name].inFlight--
	}
}

func (p *pacer) learn(kind string, raw *http.Request, resp *http.Response) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	var names []string
	for name, left := range limits(raw, resp.Header) {
		b := p.buckets[name]
		if b == nil {
			b = &bucket{}
			p.buckets[name] = b
		}
		b.most = max(b.most, left+1)
		b.refill = refillOf(name, b.most)
		b.remaining, b.at = left-b.inFlight, now
		names = append(names, name)
	}
	p.outage.learn(resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= http.StatusInternalServerError)
	if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable {
		if len(names) == 0 {
			names = p.drawsOn[kind]
		}
		if len(names) == 0 { // its limits are unknown; only the delay is known
			names = []string{kind}
			p.buckets[kind] = &bucket{remaining: math.MaxInt32, most: math.MaxInt32, refill: math.MaxInt32, at: now}
		}
		if asked, ok := answer.RetryAfter(resp.Header, now); ok {
			for _, name := range names {
				p.buckets[name].notBefore = now.Add(asked)
			}
		}
	}
	if len(names) > 0 {
		p.drawsOn[kind] = names
	}
}

func (b *bucket) advance(now time.Time) {
	b.remaining = min(b.most, b.remaining+b.refill*now.Sub(b.at).Seconds())
	b.at = now
}

// kept is the reserve for others: one in twenty, for other processes of the same user.
func (b *bucket) kept() float64 { return max(1, b.most/20) }

// refillOf is how fast a limit recovers: the names of Compute's limits contain their window; the subscription's limits are
// token buckets with documented rates.
func refillOf(name string, most float64) float64 {
	switch {
	case strings.HasSuffix(name, "30Min"):
		return most / (30 * 60)
	case strings.HasSuffix(name, "3Min"):
		return most / (3 * 60)
	case strings.HasSuffix(name, "reads"):
		return 25
	}
	return 10
}

const (
	subscriptionLimit = "x-ms-ratelimit-remaining-subscription-"
	resourceLimit     = "x-ms-ratelimit-remaining-resource"
)

// limits reads an answer's limits by name. The subscription's limits apply to one subscription and class of request;
// Compute's header lists "Microsoft.Compute/HighCostGet3Min;139,…".
func limits(raw *http.Request, h http.Header) map[string]float64 {
	out := map[string]float64{}
	subscription := ""
	if parts := strings.SplitN(raw.URL.Path, "/", 4); len(parts) > 2 && strings.EqualFold(parts[1], "subscriptions") {
		subscription = strings.ToLower(parts[2])
	}
	for name, values := range h {
		switch lower := strings.ToLower(name); {
		case strings.HasPrefix(lower, subscriptionLimit):
			if n, ok := count(values[0]); ok {
				out[subscription+"/"+strings.TrimPrefix(lower, subscriptionLimit)] = n
			}
		case lower == resourceLimit:
			for _, list := range values {
				for item := range strings.SplitSeq(list, ",") {
					limit, value, _ := strings.Cut(strings.TrimSpace(item), ";")
					if n, ok := count(value); ok && limit != "" {
						out[subscription+"/"+limit] = n
					}
				}
			}
		}
	}
	return out
}

func count(s string) (float64, bool) {
	n := 0.0
	if s == "" || len(s) > 9 {
		return 0, false
	}
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + float64(c-'0')
	}
	return n, true
}

// kindOf is a request with its names replaced: "GET /subscriptions/*/providers/microsoft.compute/virtualmachines".
func kindOf(method, path string) string {
	parts := strings.Split(strings.Trim(strings.ToLower(path), "/"), "/")
	name := false // parts alternate between a collection and a name; a provider restarts that
	for i, part := range parts {
		switch {
		case part == "providers":
			name = false
		case i > 0 && parts[i-1] == "providers":
			name = false
		case name:
			if i < 2 { // the subscription is kept: it has its own limits
				name = false
				continue
			}
			parts[i], name = "*", false
		default:
			name = true
		}
	}
	return method + " /" + strings.Join(parts, "/")
}
