package arm

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
)

// Inner makes a request of its own within another: deployments write their resources so. The
// caller holds the lock; rate limits, identity and counters are not touched.
func (s *Server) Inner(method, path, version string, body azjson.Object, now time.Time) (*Reply, *Error) {
	c := &Call{
		Server: s, Method: method, Path: path, Header: http.Header{}, Body: body, Base: "https://management.azure.com",
		Query: url.Values{"api-version": {version}}, Now: now, inner: true,
	}
	rep, err := s.dispatch(c)
	if err == nil {
		return rep, nil
	}
	var e *Error
	if !errors.As(err, &e) {
		e = Refuse(http.StatusInternalServerError, "InternalServerError", "%v", err)
	}
	return nil, e
}

// Canonical gives the keys of an object Azure's casing.
func Canonical(o azjson.Object) azjson.Object { return azjson.Canonical(o) }
