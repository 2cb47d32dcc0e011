// Package transport is the last step of a request to Azure and the first of its answer: it sends only to the cloud's own
// endpoint, and rejects answers that Azure would not give.
package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/azlin-dev/azlin/errkind"
)

// Transport sends the requests to Azure Resource Manager. The SDK follows links in answers (nextLink, Location,
// Azure-AsyncOperation) with the token, so a request with a token is sent only to the cloud's own endpoint.
type Transport struct {
	client   *http.Client
	endpoint *url.URL
}

// New creates the transport of a cloud with this Azure Resource Manager address.
func New(client *http.Client, endpoint string) (Transport, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return Transport{}, errkind.New(errkind.Invalid, "%q is not the address of Azure Resource Manager", endpoint)
	}
	return Transport{WithoutRedirects(client), u}, nil
}

// WithoutRedirects returns a copy of a client that follows no redirect. Azure Resource Manager and Microsoft Entra never
// redirect; anyone else who does would receive the request's secrets or have its answer accepted.
func WithoutRedirects(client *http.Client) *http.Client {
	c := *client
	c.CheckRedirect = func(req *http.Request, _ []*http.Request) error {
		return Refused("the answer redirects to %s, which Azure never does: is a proxy or a captive portal in between?", req.URL.Host)
	}
	return &c
}

const (
	longestAnswer = 128 << 20       // bytes, decompressed; the longest answer, the catalog of sizes, has about 20 MB
	slowestAnswer = 1 << 10         // bytes per second
	answerStall   = 2 * time.Minute // without a byte
)

// Do sends a request.
func (t Transport) Do(req *http.Request) (*http.Response, error) {
	if req.Header.Get("Authorization") != "" && !t.home(req.URL) {
		return nil, Refused("an answer links to %s://%s, which is not %s; the token was not sent there", req.URL.Scheme, req.URL.Host, t.endpoint.Host)
	}
	if err := visit(req); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(req.Context())
	resp, err := t.client.Do(req.WithContext(ctx))
	if err != nil {
		cancel()
		if no, ok := errors.AsType[*refusal](err); ok {
			return nil, no // the URL around it may contain a secret
		}
		return nil, err
	}
	resp.Body = &boundedBody{body: resp.Body, cancel: cancel, stall: time.AfterFunc(answerStall, cancel), began: time.Now(), parent: req.Context()}
	return resp, nil
}

func (t Transport) home(u *url.URL) bool {
	return u.Scheme == t.endpoint.Scheme && strings.EqualFold(u.Host, t.endpoint.Host)
}

// boundedBody ends an answer that is too long or too slow.
type boundedBody struct {
	body   io.ReadCloser
	cancel context.CancelFunc
	stall  *time.Timer
	began  time.Time
	parent context.Context //nolint:containedctx // of the one request that the body belongs to
	read   int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	b.read += int64(n)
	took := time.Since(b.began)
	switch {
	case b.read > longestAnswer:
		return n, Refused("the answer is longer than %d MB", longestAnswer>>20)
	case errors.Is(err, context.Canceled) && b.parent.Err() == nil:
		return n, Refused("the answer stopped in its middle for %s", answerStall)
	case err == nil && took > answerStall && float64(b.read) < slowestAnswer*took.Seconds():
		return n, Refused("the answer comes at less than %d bytes per second", slowestAnswer)
	}
	b.stall.Reset(answerStall)
	return n, err
}

func (b *boundedBody) Close() error {
	b.stall.Stop()
	b.cancel()
	return b.body.Close()
}

// refusal is the error for a rejected answer. It is not retried, because the answer would be the same.
type refusal struct{ error }

// NonRetriable stops retries in the SDK's pipeline.
func (refusal) NonRetriable() {}

func (r refusal) Unwrap() error { return r.error }

// Refused is the error for a rejected answer.
func Refused(format string, args ...any) error {
	return &refusal{&errkind.Error{Kind: errkind.Unreachable, Err: fmt.Errorf(format, args...)}}
}

// visited are the pages of one list that were read.
type visited struct {
	mu    sync.Mutex
	pages map[string]bool
}

type visitedKey struct{}

// OnePass makes a list fail if its pages form a circle.
func OnePass(ctx context.Context) context.Context {
	return context.WithValue(ctx, visitedKey{}, &visited{pages: map[string]bool{}})
}

// visit records the page that a request reads. A retry reads the same page again, so only an earlier page is an error: see
// Turned.
func visit(req *http.Request) error {
	v, ok := req.Context().Value(visitedKey{}).(*visited)
	if !ok {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.pages[req.URL.String()] {
		return Refused("the pages of the list form a circle")
	}
	return nil
}

// Turned records that the page at an address was read completely.
func Turned(resp *http.Response) {
	if resp == nil || resp.Request == nil {
		return
	}
	if v, ok := resp.Request.Context().Value(visitedKey{}).(*visited); ok {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.pages[resp.Request.URL.String()] = true
	}
}
