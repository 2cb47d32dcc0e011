package arm

import (
	"bytes"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
)

// guarded is dispatch, after which the server goes on even when a handler has a mistake: the lock is held here.
func (s *Server) guarded(c *Call) (rep *Reply, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.opt.Log.Error("a handler panicked", "method", c.Method, "path", c.Path, "panic", p, "stack", string(debug.Stack()))
			rep, err = nil, Refuse(http.StatusInternalServerError, "InternalServerError", "The emulator failed at %s %s: %v. Its log says where.", c.Method, c.Path, p)
		}
	}()
	return s.dispatch(c)
}

func (s *Server) parse(c *Call) error {
	if len(bytes.TrimSpace(c.Raw)) == 0 || c.Body != nil {
		return nil
	}
	if err := media(c.Header.Get("Content-Type")); err != nil {
		return err
	}
	var err error
	if c.Body, err = azjson.Parse(c.Raw); err != nil {
		return BadRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: '%v'.", err)
	}
	return nil
}

// media refuses a body that does not say that it is JSON.
func media(contentType string) error {
	typ, _, _ := strings.Cut(contentType, ";")
	if typ = strings.TrimSpace(typ); azjson.Fold(typ, "application/json") {
		return nil
	}
	if typ == "" {
		typ = "<null>"
	}
	return Refuse(http.StatusUnsupportedMediaType, "UnsupportedMediaType", "The content media type '%s' is not supported. Only 'application/json' is supported.", typ)
}

func subscriptionOf(path string) string {
	seg := strings.SplitN(strings.Trim(path, "/"), "/", 3)
	if len(seg) < 2 || !azjson.Fold(seg[0], "subscriptions") {
		return ""
	}
	return seg[1]
}

// slashes makes one of several slashes in a row: az writes ids so, and Azure takes them.
func slashes(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return path
}

func lowerKeys(q url.Values) url.Values {
	l := make(url.Values, len(q))
	for k, v := range q {
		l[strings.ToLower(k)] = v
	}
	return l
}

func base(r *http.Request) string {
	scheme := "https"
	if r.TLS == nil && r.URL.Scheme != "" {
		scheme = r.URL.Scheme
	}
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	return scheme + "://" + host
}
