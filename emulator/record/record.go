// Package record writes every request that a handler gets, and what it answers, as one line of JSON, with
// all secrets masked: what clients really ask for, and what conformance cases are made from.
package record

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Exchange is one request and its answer. Bodies are values where they are JSON, and texts else; binary ones
// and those beyond 4 MiB are left out.
type Exchange struct {
	Time           time.Time   `json:"time"` // when the request came
	Milliseconds   float64     `json:"milliseconds"`
	Method         string      `json:"method"`
	URL            string      `json:"url"` // absolute
	RequestHeader  http.Header `json:"request_header"`
	RequestBody    any         `json:"request_body,omitempty"`
	Status         int         `json:"status"` // 101: the connection was taken over, and what went through it is not here
	ResponseHeader http.Header `json:"response_header"`
	ResponseBody   any         `json:"response_body,omitempty"`
}

const maxBody = 4 << 20

// Handler records what next is asked and answers, one line for each exchange, in the order of their ends.
// Failures to write are logged and do not touch the exchange; log may be nil.
func Handler(next http.Handler, to io.Writer, log *slog.Logger) http.Handler {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	var mu sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		x := Exchange{Time: began.UTC(), Method: r.Method, URL: maskURL(absolute(r)), RequestHeader: maskHeader(r.Header)}
		write := func() {
			x.Milliseconds = float64(time.Since(began).Microseconds()) / 1000
			line, err := json.Marshal(x)
			if err == nil {
				mu.Lock()
				_, err = to.Write(append(line, '\n'))
				mu.Unlock()
			}
			if err != nil {
				log.Error("an exchange was not recorded", "err", err)
			}
		}
		if r.Header.Get("Upgrade") != "" {
			x.Status = http.StatusSwitchingProtocols
			write()
			next.ServeHTTP(w, r) // keeps the connection for itself
			return
		}
		raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
		r.Body = &body{Reader: io.MultiReader(bytes.NewReader(raw), failure{err}, r.Body), Closer: r.Body}
		x.RequestBody = maskBody(r.Header.Get("Content-Type"), raw)
		tee := &tee{ResponseWriter: w}
		next.ServeHTTP(tee, r)
		x.Status, x.ResponseHeader = max(tee.status, http.StatusOK), maskHeader(w.Header())
		x.ResponseBody = maskBody(w.Header().Get("Content-Type"), tee.body.Bytes())
		write()
	})
}

func absolute(r *http.Request) string {
	scheme := r.URL.Scheme
	if scheme == "" {
		scheme = "https"
	}
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	return scheme + "://" + host + r.URL.RequestURI()
}

// body is a request's body that was read ahead.
type body struct {
	io.Reader
	io.Closer
}

// failure is a reader that has nothing but an error, if that.
type failure struct{ err error }

func (f failure) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

// tee keeps what is written to a client.
type tee struct {
	http.ResponseWriter

	status int
	body   bytes.Buffer
}

// Unwrap lets http.ResponseController reach what the client's connection can do.
func (t *tee) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// WriteHeader sends the status.
func (t *tee) WriteHeader(status int) {
	if t.status == 0 {
		t.status = status
	}
	t.ResponseWriter.WriteHeader(status)
}

func (t *tee) Write(b []byte) (int, error) {
	if t.status == 0 {
		t.status = http.StatusOK
	}
	if t.body.Len() <= maxBody {
		t.body.Write(b)
	}
	return t.ResponseWriter.Write(b)
}

// maskBody is a body as it is recorded.
func maskBody(contentType string, raw []byte) any {
	if len(raw) == 0 {
		return nil
	}
	if len(raw) > maxBody || !utf8.Valid(raw) {
		return "(left out)"
	}
	if strings.HasPrefix(contentType, "application/x-www-form-urlencoded") {
		return maskQuery(string(raw))
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err == nil && !d.More() {
		return Mask(v)
	}
	return maskLoose(string(raw))
}
