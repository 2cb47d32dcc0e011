package arm

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
)

// headers sets what every reply of Azure Resource Manager carries.
func (s *Server) headers(h http.Header, c *Call) {
	request, correlation := uuid.NewString(), c.Correlation()
	if id := c.Header.Get("X-Ms-Client-Request-Id"); id != "" && azjson.Fold(c.Header.Get("X-Ms-Return-Client-Request-Id"), "true") {
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
	if c.Route != nil && strings.Contains(strings.ToLower(c.Route.Template), "/providers/microsoft.network/") {
		h.Set("X-Ms-Arm-Service-Request-Id", uuid.NewString())
	}
	s.limits.Report(h, s.limited(c))
}

// Correlation is the id that joins what belongs to a request: the client's, or one that the server gives it.
func (c *Call) Correlation() string {
	if c.correlation == "" {
		c.correlation = cmp.Or(c.Header.Get("X-Ms-Correlation-Request-Id"), uuid.NewString())
	}
	return c.correlation
}
