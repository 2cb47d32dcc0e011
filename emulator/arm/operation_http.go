package arm

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/polling"
)

// Async adds to a reply the headers that let the client follow an operation.
func (c *Call) Async(rep *Reply, op *Operation, st polling.Style) *Reply {
	at := c.Base + "/subscriptions/" + c.Server.opt.SubscriptionID + "/" + strings.ReplaceAll(st.Path, "{location}", op.Location) + "/"
	name := op.ID
	query := "api-version=" + c.Version
	switch {
	case st.Signed:
		query += polling.Signature(op.ID, c.Now)
	case st.Plain:
		query = "monitor=true&" + query
	case st.Terse:
	default:
		query = "p=" + op.ID + "&" + query
		rep.With("X-Ms-Request-Id", op.ID) // Compute names the request after its operation
	}
	if st.Path == "operationresults" {
		name = base64.RawURLEncoding.EncodeToString([]byte(`{"jobId":"` + op.ID + `","jobLocation":"` + op.Location + `"}`))
	}
	if st.Async {
		rep.With("Azure-Asyncoperation", at+name+"?"+query)
		if !st.Terse && !strings.Contains(st.Path, "DiskOperations") {
			rep.With("Azure-Asyncnotification", "Enabled")
		}
	}
	if st.Location {
		monitor := at
		switch {
		case st.Bare:
			monitor = strings.Replace(at, "/operations/", "/operationResults/", 1)
		case st.Terse:
			query = "monitor=true&" + query
		case st.Async:
			query = strings.Replace(query, "&api-version=", "&monitor=true&api-version=", 1)
		}
		rep.With("Location", monitor+name+"?"+query)
	}
	op.Retry = st.RetryAfter
	c.retry(rep, st.RetryAfter)
	return rep
}

// again is what a look at an operation says of the next one: nothing if nothing was said when it began.
func (o *Operation) again() int {
	if o.Retry == 0 || o.Retry >= 60 {
		return o.Retry
	}
	return 10
}

// retry says when to ask again: never 0, which az takes for half a minute. A hasty server says it
// in milliseconds too, which azcore prefers.
func (c *Call) retry(rep *Reply, seconds int) {
	if c.Server.opt.Hasty {
		rep.With("Retry-After", "1").With("Retry-After-Ms", "20")
		return
	}
	if seconds > 0 {
		rep.With("Retry-After", strconv.Itoa(seconds))
	}
}

// Time is how Compute writes times.
func Time(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000+00:00") }

func (s *Server) operationRoutes() {
	const sub = "/subscriptions/{subscriptionId}/"
	for _, st := range []polling.Style{polling.Compute(), polling.Galleries(), polling.Disks(), polling.Network(), polling.Storage()} {
		s.Handle(http.MethodGet, sub+st.Path+"/{operationId}", []string{}, func(c *Call) (*Reply, error) { return s.status(c, st.Bare) })
	}
	s.Handle(http.MethodGet, sub+"providers/Microsoft.Network/locations/{location}/operationResults/{operationId}", []string{},
		func(c *Call) (*Reply, error) { return s.monitor(c, c.Param("operationId")) })
	s.Handle(http.MethodGet, sub+"operationresults/{operationId}", []string{}, func(c *Call) (*Reply, error) {
		raw, _ := base64.RawURLEncoding.DecodeString(c.Param("operationId"))
		o, err := azjson.Parse(raw)
		if err != nil {
			return nil, noOperation(c.Param("operationId"))
		}
		return s.monitor(c, azjson.Str(o, "jobId"))
	})
}

func noOperation(id string) *Error {
	return Refuse(http.StatusNotFound, "NotFound", "The entity was not found: operation %s.", id)
}

func (s *Server) status(c *Call, bare bool) (*Reply, error) {
	id := c.Param("operationId")
	if c.Arg("monitor") == "true" {
		return s.monitor(c, id)
	}
	op := s.ops[id]
	if op == nil {
		return nil, noOperation(id)
	}
	rep := OK(op.Object(bare))
	if !op.Done() {
		c.retry(rep, op.again())
	}
	return rep, nil
}

// Object is an operation's status on the wire.
func (o *Operation) Object(bare bool) azjson.Object {
	b := azjson.Object{"status": o.Status}
	if !bare {
		b["name"], b["startTime"] = o.ID, Time(o.Start)
		if o.Done() {
			b["endTime"] = Time(o.End)
		}
		if o.Output != nil {
			b["properties"] = azjson.Object{"output": azjson.Clone(o.Output)}
		}
	}
	if o.Err != nil {
		b["error"] = o.Err.Object()
	}
	return b
}

// monitor answers what Location leads to: 202 until the operation is over, then its result.
func (s *Server) monitor(c *Call, id string) (*Reply, error) {
	op := s.ops[id]
	switch {
	case op == nil:
		return nil, noOperation(id)
	case !op.Done():
		rep := Status(http.StatusAccepted).With("Location", c.Base+c.Path+"?"+encode(c))
		c.retry(rep, op.again())
		return c.asProvider(rep), nil
	case op.Err != nil:
		return nil, op.Err
	case op.Output != nil:
		return c.asProvider(OK(azjson.Clone(op.Output))), nil
	case c.Route != nil && strings.Contains(c.Route.Template, "/providers/Microsoft.Network/"):
		// As recorded: what a deletion ends in names its operation once more.
		rep := c.Async(Status(http.StatusNoContent), op, polling.NetworkDelete()).With("Content-Type", "application/json; charset=utf-8")
		rep.Header.Del("Retry-After")
		rep.Header.Del("Retry-After-Ms")
		return rep, nil
	}
	return c.asProvider(Status(cmp.Or(s.kinds[op.Kind].Empty, http.StatusOK))), nil
}

// asProvider gives the answer of an operation the headers of the provider that has them of its own.
func (c *Call) asProvider(rep *Reply) *Reply {
	if c.Route == nil || !strings.Contains(c.Route.Template, "/providers/Microsoft.Storage/") {
		return rep
	}
	return StorageHeaders(rep)
}

// StorageHeaders gives an answer the headers of the storage resource provider.
func StorageHeaders(rep *Reply) *Reply {
	rep.With("Server", "Microsoft-Azure-Storage-Resource-Provider/1.0,Microsoft-HTTPAPI/2.0 Microsoft-HTTPAPI/2.0")
	if rep.Body != nil {
		return rep.With("Content-Type", "application/json")
	}
	if rep.Status != http.StatusNoContent {
		rep.With("Content-Type", "text/plain; charset=utf-8")
	}
	return rep
}

// encode writes a call's query again, with the parameter names as the server spells them.
func encode(c *Call) string { return c.Query.Encode() }
