package arm

import (
	"net/http"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/ratelimit"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
)

func newLimits(o Options) *ratelimit.Limits {
	return ratelimit.New(ratelimit.Options{Pace: o.Pace, Off: o.Unlimited, PerVM: o.PerResource})
}

// limited is what counts of a call against the rate limits.
func (s *Server) limited(c *Call) ratelimit.Call {
	l := ratelimit.Call{
		Now: c.Now, Method: c.Method, Tenant: s.opt.TenantID, Subscription: subscriptionOf(c.Path), Actor: c.actor,
		Region: func() string { return regionOf(c) }, Target: func() string { return targetOf(c) },
	}
	if c.Route != nil {
		l.Template = c.Route.Template
	}
	return l
}

// throttled is the error that a refusal by the rate limits is; nil for none.
func throttled(r *ratelimit.Refusal) error {
	if r == nil {
		return nil
	}
	e := &Error{Status: http.StatusTooManyRequests, Code: r.Code, Message: r.Message, Header: r.Header}
	if r.Group != "" {
		e.Details = []*Error{{Code: "TooManyRequests", Target: r.Group, Message: r.Detail}}
	}
	return e
}

// regionOf is the region whose limits a call counts against: Compute has them in each. "" for lists over regions.
func regionOf(c *Call) string {
	if l := c.Param("location"); l != "" {
		return strings.ToLower(l)
	}
	if r := c.Server.Find(resourceOf(c)); r != nil {
		return strings.ToLower(r.Location())
	}
	return strings.ToLower(azjson.Str(c.Body, "location"))
}

// resourceOf is the id of the VM or disk that a call is about, without the action or the part of it.
func resourceOf(c *Call) string {
	seg := strings.Split(strings.Trim(c.Path, "/"), "/")
	if len(seg) < 8 {
		return ""
	}
	return "/" + strings.Join(seg[:8], "/")
}

// targetOf is the key of the VM that a call is about, or "". The look at an operation is about the operation's.
func targetOf(c *Call) string {
	if strings.Contains(strings.ToLower(c.Route.Template), "operations/") {
		if op := c.Server.Operation(resourceid.NameOf(c.Path)); op != nil {
			return resourceid.Key(op.Target)
		}
		return ""
	}
	return resourceid.Key(resourceOf(c))
}
