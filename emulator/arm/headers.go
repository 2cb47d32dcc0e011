package arm

import (
	"net/http"
	"strings"

	"github.com/google/uuid"
)

// headers sets what every reply of Azure Resource Manager carries.
func (s *Server) headers(h http.Header, c *Call) {
	request, correlation := uuid.NewString(), uuid.NewString()
	if id := c.Header.Get("X-Ms-Correlation-Request-Id"); id != "" {
		correlation = id
	}
	if id := c.Header.Get("X-Ms-Client-Request-Id"); id != "" && Fold(c.Header.Get("X-Ms-Return-Client-Request-Id"), "true") {
		h.Set("X-Ms-Client-Request-Id", id)
	}
	h.Set("Date", s.now.UTC().Format(http.TimeFormat))
	h.Set("X-Ms-Request-Id", request)
	h.Set("X-Ms-Correlation-Request-Id", correlation)
	h.Set("X-Ms-Routing-Request-Id", "WESTUS2:"+s.now.UTC().Format("20060102T150405Z")+":"+request)
	h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	h.Set("Pragma", "no-cache")
	h.Set("Expires", "-1")
	s.limits.report(h, c)
}

// class is the rate limit that a method counts against.
func class(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead:
		return "reads"
	case http.MethodDelete:
		return "deletes"
	}
	return "writes"
}

func onCompute(path string) bool {
	return strings.Contains(strings.ToLower(path), "/providers/microsoft.compute/")
}
