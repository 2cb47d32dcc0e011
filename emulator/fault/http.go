package fault

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Handler serves as next does, as far as the rules let it. describe tells of a request what rules look at; requests that
// it says false of are never struck. Broken connections are panics with http.ErrAbortHandler, as net/http wants them.
func (s *Set) Handler(next http.Handler, describe func(*http.Request) (Request, bool)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q, ok := describe(r)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		rule := s.OnRequest(q)
		if rule == nil {
			next.ServeHTTP(w, r)
			return
		}
		rule.serve(w, r, next)
	})
}

func (r *Rule) serve(w http.ResponseWriter, req *http.Request, next http.Handler) {
	switch r.Effect {
	case Throttle:
		wait := orDefault(r.Delay, time.Second)
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(wait.Round(time.Second)/time.Second))))
		w.Header().Set("Retry-After-Ms", strconv.FormatInt(max(1, wait.Milliseconds()), 10))
		r.refuse(w, http.StatusTooManyRequests, "TooManyRequests", "The request is being throttled.")
	case ThrottleNow:
		r.refuse(w, http.StatusTooManyRequests, "TooManyRequests", "The request is being throttled.")
	case Error500:
		r.refuse(w, http.StatusInternalServerError, "InternalServerError", "Encountered internal server error.")
	case Error502:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, "<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>") // the client may have gone
	case Error503:
		r.refuse(w, http.StatusServiceUnavailable, "ServerBusy", "The server is busy. Please try again later.")
	case InProgress:
		r.refuse(w, http.StatusConflict, "AnotherOperationInProgress", "Another operation on this or dependent resource is in progress. To retrieve status of the operation use uri: .")
	case Expired:
		w.Header().Set("WWW-Authenticate", `Bearer authorization_uri="https://login.microsoftonline.com/", error="invalid_token", error_description="The access token has expired."`)
		r.refuse(w, http.StatusUnauthorized, "ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than current UTC time.")
	case ResetBefore:
		panic(http.ErrAbortHandler)
	case ResetAfter:
		next.ServeHTTP(&kept{header: http.Header{}}, req)
		panic(http.ErrAbortHandler)
	case Slow:
		answer := r.have(next, req)
		select {
		case <-time.After(orDefault(r.Delay, 2*time.Second)):
		case <-req.Context().Done():
		}
		answer.send(w, answer.body.Len())
	case Truncate:
		answer := r.have(next, req)
		if answer.body.Len() == 0 {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Length", strconv.Itoa(answer.body.Len()))
		answer.send(w, answer.body.Len()/2)
		panic(http.ErrAbortHandler)
	case Skew:
		answer := r.have(next, req)
		date := time.Now()
		if at, err := http.ParseTime(answer.header.Get("Date")); err == nil {
			date = at
		}
		answer.header.Set("Date", date.Add(orDefault(r.Delay, 10*time.Minute)).UTC().Format(http.TimeFormat))
		answer.send(w, answer.body.Len())
	default:
		next.ServeHTTP(w, req)
	}
}

func (r *Rule) have(next http.Handler, req *http.Request) *kept {
	answer := &kept{header: http.Header{}}
	next.ServeHTTP(answer, req)
	return answer
}

func (r *Rule) refuse(w http.ResponseWriter, status int, code, message string) {
	if r.Code != "" {
		code = r.Code
	}
	if r.Message != "" {
		message = r.Message
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("x-ms-failure-cause", "gateway")
	w.Header().Set("x-ms-correlation-request-id", "00000000-0000-0000-0000-0000000fa017")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"error":{"code":%q,"message":%q}}`, code, message) // the client may have gone
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// kept is an answer that is held back.
type kept struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (k *kept) Header() http.Header { return k.header }

func (k *kept) WriteHeader(status int) {
	if k.status == 0 {
		k.status = status
	}
}

func (k *kept) Write(b []byte) (int, error) {
	k.WriteHeader(http.StatusOK)
	return k.body.Write(b)
}

// send passes on n bytes of the answer.
func (k *kept) send(w http.ResponseWriter, n int) {
	for name, values := range k.header {
		if !strings.EqualFold(name, "Content-Length") {
			w.Header()[name] = values
		}
	}
	k.WriteHeader(http.StatusOK)
	w.WriteHeader(k.status)
	_, _ = w.Write(k.body.Bytes()[:n]) // the client may have gone
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
}
