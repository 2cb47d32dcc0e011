package azure

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// Write is a request that would make a change.
type Write struct {
	Method string          `json:"method"`
	URL    string          `json:"url"` // with the api-version
	Body   json.RawMessage `json:"body"`
}

// Rehearsal collects the writes of calls with its context, in order of time; simultaneous calls have no order. Writes are
// not sent: each is answered as if Azure had carried it out at once, and reads return what was written. All other reads are
// sent.
type Rehearsal struct {
	mu      sync.Mutex
	writes  []Write
	written map[string][]byte // by key of the path
}

type rehearsalKey struct{}

// Rehearse returns a context in which no write is sent.
func Rehearse(ctx context.Context) (context.Context, *Rehearsal) {
	r := &Rehearsal{written: map[string][]byte{}}
	return context.WithValue(ctx, rehearsalKey{}, r), r
}

// Writes returns the writes so far.
func (r *Rehearsal) Writes() []Write {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Write(nil), r.writes...)
}

// rehearsal is the policy that stops writes. It runs before all others, so that unsent writes are not audited.
type rehearsal struct{}

func (rehearsal) Do(req *policy.Request) (*http.Response, error) {
	raw := req.Raw()
	r, ok := raw.Context().Value(rehearsalKey{}).(*Rehearsal)
	if !ok {
		return req.Next()
	}
	key := IDKey(raw.URL.Path)
	if isRead(raw.Method, raw.URL.Path) {
		r.mu.Lock()
		body, written := r.written[key]
		r.mu.Unlock()
		if written && (raw.Method == http.MethodGet || raw.Method == http.MethodHead) {
			return pretend(raw, http.StatusOK, body), nil
		}
		return req.Next()
	}
	var body []byte
	if raw.Body != nil {
		var err error
		if body, err = io.ReadAll(raw.Body); err != nil {
			return nil, err
		}
	}
	made, err := asMade(raw.URL.Path, body)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writes = append(r.writes, Write{Method: raw.Method, URL: raw.URL.String(), Body: compact(body)})
	switch raw.Method {
	case http.MethodPut:
		r.written[key] = made
		return pretend(raw, http.StatusOK, made), nil
	case http.MethodDelete:
		delete(r.written, key)
		return pretend(raw, http.StatusNoContent, nil), nil
	}
	return pretend(raw, http.StatusOK, []byte("{}")), nil
}

func compact(body []byte) json.RawMessage {
	if len(body) == 0 {
		return nil
	}
	return body
}

// asMade adds to a PUT's body what Azure adds to every resource.
func asMade(path string, body []byte) ([]byte, error) {
	var o map[string]any
	if len(body) == 0 || json.Unmarshal(body, &o) != nil || o == nil {
		o = map[string]any{}
	}
	o["id"] = path
	o["name"] = path[strings.LastIndexByte(path, '/')+1:]
	properties, _ := o["properties"].(map[string]any)
	if properties == nil {
		properties = map[string]any{}
		o["properties"] = properties
	}
	properties["provisioningState"] = "Succeeded"
	return json.Marshal(o)
}

func pretend(req *http.Request, status int, body []byte) *http.Response {
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)), Request: req,
	}
}
