package arm

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
)

// Call is one request on its way to a handler.
type Call struct {
	Server  *Server
	Method  string
	Path    string
	Query   url.Values // keys in lower case
	Header  http.Header
	Body    azjson.Object // nil when the request had none
	Raw     []byte
	Route   *Route
	Base    string // scheme and host by which the client reached us
	Version string // the api-version
	Now     time.Time
	params  map[string]string
	actor   string // object id of the caller
	inner   bool   // made by a deployment, not by a client

	correlation string // see Correlation
}

// Param is a placeholder of the route's template.
func (c *Call) Param(name string) string { return c.params[name] }

// Sub is the subscription's id.
func (c *Call) Sub() string { return c.params["subscriptionId"] }

// Group is the resource group, as the URL has it.
func (c *Call) Group() string { return c.params["resourceGroupName"] }

// Arg is a query parameter.
func (c *Call) Arg(name string) string { return c.Query.Get(strings.ToLower(name)) }

// ID is the id of a resource in the call's group; pairs are types and names.
func (c *Call) ID(namespace string, pairs ...string) string {
	group := c.Group()
	if g := c.Server.Find("/subscriptions/" + c.Sub() + "/resourceGroups/" + group); g != nil {
		group = g.Name()
	}
	return "/subscriptions/" + c.Server.opt.SubscriptionID + "/resourceGroups/" + group + "/providers/" + namespace + "/" + strings.Join(pairs, "/")
}

// NotFound is the 404 for the resource that the path names.
func (c *Call) NotFound() *Error {
	id, err := resourceid.Parse(c.Path)
	if err != nil {
		return Refuse(http.StatusNotFound, "NotFound", "The resource was not found.")
	}
	n := min(len(id.Types), len(id.Names))
	id.Types, id.Names = id.Types[:n], id.Names[:n]
	// The path may spell the type as it likes; the text never does.
	if t := c.Server.Type(id.Type()); t != nil {
		parts := strings.Split(t.Name, "/")
		id.Namespace, id.Types = parts[0], parts[1:]
	}
	return NotFound(id)
}

// Visible leaves out of a list of resources what the caller may not do action to; "" means to read.
func (c *Call) Visible(action string, items []any) []any {
	if c.Server.keep == nil || c.inner {
		return items
	}
	return c.Server.keep(c, action, items)
}

// Absolute makes a URL of the server out of a path and query.
func (c *Call) Absolute(pathAndQuery string) string { return c.Base + pathAndQuery }

// Reply is what a handler answers.
type Reply struct {
	Status int
	Header http.Header
	Body   any // nil for no body
}

// OK is a 200 with a body.
func OK(body any) *Reply { return &Reply{Status: http.StatusOK, Body: body} }

// Created is a 201 with a body.
func Created(body any) *Reply { return &Reply{Status: http.StatusCreated, Body: body} }

// Status is a reply without a body.
func Status(code int) *Reply { return &Reply{Status: code} }

// With sets a header.
func (r *Reply) With(key, value string) *Reply {
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set(key, value)
	return r
}
