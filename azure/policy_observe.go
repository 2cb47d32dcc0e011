package azure

import (
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azlin-dev/azlin/azure/answer"
)

// traffic counts requests.
type traffic struct {
	mu       sync.Mutex
	byMethod map[string]int
}

func (t *traffic) count(method string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.byMethod[method]++
}

func (t *traffic) total() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for _, v := range t.byMethod {
		n += v
	}
	return n
}

func (t *traffic) methods() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.byMethod)
}

// observer sees every request that is sent: it counts it, reads the server's time, and writes one debug line. The line has
// no headers, body or query, because polling addresses contain signatures.
type observer struct {
	traffic *traffic
	clock   *Clock
	log     *slog.Logger
}

func (o *observer) Do(req *policy.Request) (*http.Response, error) {
	raw := req.Raw()
	o.traffic.count(raw.Method)
	began := time.Now()
	resp, err := req.Next()
	ctx := raw.Context()
	if resp != nil {
		o.clock.observe(resp.Header)
	}
	if certificateFailure(err) {
		err = &final{err} // the next try would get the same certificate
	}
	if !o.log.Enabled(ctx, slog.LevelDebug) {
		return resp, err
	}
	attrs := []slog.Attr{
		slog.String("method", raw.Method),
		slog.String("host", raw.URL.Host),
		slog.String("path", raw.URL.Path),
		slog.String("api_version", raw.URL.Query().Get("api-version")),
		slog.Duration("took", time.Since(began)),
	}
	if resp != nil {
		attrs = append(attrs, slog.Int("status", resp.StatusCode),
			slog.String("correlation_id", answer.CorrelationID(resp)))
		if resp.StatusCode >= http.StatusBadRequest {
			attrs = append(attrs, slog.String("code", answer.Code(resp)))
		}
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", withoutURL(err).Error()))
	}
	o.log.LogAttrs(ctx, slog.LevelDebug, "azure request", attrs...)
	return resp, err
}

// withoutURL removes the address from a transport error, because its query may be signed.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
