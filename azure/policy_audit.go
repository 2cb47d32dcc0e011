package azure

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/uuid"

	"github.com/azlin-dev/azlin/azure/answer"
	"github.com/azlin-dev/azlin/azure/pacing"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/audit"
)

// auditor records every write before it is sent and again with its result. It refuses the write when the client is read-only
// or the record cannot be stored.
type auditor struct {
	record   func(audit.Record) error
	readOnly bool
	log      *slog.Logger
	target   Target
}

const requestIDHeader = "x-ms-client-request-id"

func (a *auditor) Do(req *policy.Request) (*http.Response, error) {
	raw := req.Raw()
	if raw.Header.Get(requestIDHeader) == "" {
		raw.Header.Set(requestIDHeader, uuid.NewString())
	}
	if isRead(raw.Method, raw.URL.Path) {
		return req.Next()
	}
	if a.readOnly {
		return nil, &final{errkind.New(errkind.Permission, "%s %s: this context is read-only, nothing was sent", raw.Method, raw.URL.Path)}
	}
	r := a.describe(raw)
	r.Detail = detailOf(req, r.Operation)
	r.Status = audit.Started
	if a.record != nil {
		if err := a.record(r); err != nil {
			return nil, &final{errkind.New(errkind.Prerequisite, "nothing was sent, because the change cannot be put on record: %w", err)}
		}
	}
	resp, err := req.Next()
	a.outcome(raw.Context(), r, resp, err)
	return resp, err
}

// outcome records the result of r.
func (a *auditor) outcome(ctx context.Context, r audit.Record, resp *http.Response, err error) {
	r.Status = audit.Succeeded
	if resp != nil {
		r.CorrelationID = answer.CorrelationID(resp)
	}
	switch {
	case err != nil || resp == nil:
		r.Status, r.Code = audit.Failed, "NoAnswer" // Azure may have carried it out
	case resp.StatusCode >= http.StatusBadRequest:
		r.Status, r.Code = audit.Failed, answer.Code(resp)
	case resp.StatusCode == http.StatusAccepted || resp.Header.Get("Azure-AsyncOperation") != "":
		r.Status = audit.Accepted
	}
	if r.Event == audit.Create && resp != nil && resp.StatusCode == http.StatusOK {
		r.Event = audit.Update // a PUT on an existing resource
	}
	a.write(ctx, r)
}

// write records r after the change; a failure can then only be reported.
func (a *auditor) write(ctx context.Context, r audit.Record) {
	if a.record == nil {
		return
	}
	if err := a.record(r); err != nil {
		a.log.WarnContext(ctx, "the outcome of a change could not be put on record", "resource", r.Resource, "error", err)
		pacing.Notify(ctx, "warning: the outcome of a change could not be put on record: "+err.Error())
	}
}

// describe creates the record of a request, without its result.
func (a *auditor) describe(raw *http.Request) audit.Record {
	event, operation, resource := classify(raw.Method, raw.URL.Path)
	r := audit.Record{
		Event: event, Method: raw.Method, Resource: resource, Operation: operation,
		RequestID: raw.Header.Get(requestIDHeader), Subscription: a.target.SubscriptionID,
	}
	if id, err := ParseID(resource); err == nil {
		r.Subscription = id.Subscription
	}
	return r
}

// isRead reports whether a request changes nothing: GET and HEAD, and the POSTs that are queries.
func isRead(method, path string) bool {
	if method == http.MethodGet || method == http.MethodHead {
		return true
	}
	if method != http.MethodPost {
		return false
	}
	path = strings.ToLower(path)
	for _, suffix := range []string{
		"/providers/microsoft.resourcegraph/resources",
		"/providers/microsoft.costmanagement/query",
		"/providers/microsoft.costmanagement/forecast",
		"/checknameavailability",
	} {
		if strings.HasSuffix(path, suffix) {
			return true
		}
	}
	return false
}

// classify returns the kind of a change, the operation in the format of Azure's permissions
// ("Microsoft.Compute/virtualMachines/start/action"), and the id of its resource.
func classify(method, path string) (audit.EventType, string, string) {
	resource, action := path, ""
	id, err := ParseID(path)
	if method == http.MethodPost {
		if i := strings.LastIndexByte(path, '/'); i > 0 { // the last part of a POST's path is its action
			resource, action = path[:i], path[i+1:]
			id, err = ParseID(resource)
		}
	}
	kind := "Microsoft.Resources"
	if err == nil {
		kind = id.Type()
	}
	network := strings.EqualFold(id.Provider, "Microsoft.Network")
	switch method {
	case http.MethodDelete:
		return audit.Delete, kind + "/delete", resource
	case http.MethodPost:
		return actionEvent(action), kind + "/" + action + "/action", resource
	case http.MethodPatch:
		return audit.Update, kind + "/write", resource
	}
	switch {
	case network && len(id.Types) > 1:
		return audit.Network, kind + "/write", resource // a rule, a subnet, a peering
	case strings.EqualFold(kind, "Microsoft.Compute/virtualMachines/extensions") && strings.Contains(strings.ToLower(id.Name()), "vmaccess"):
		return audit.Key, kind + "/write", resource
	}
	return audit.Create, kind + "/write", resource
}

func actionEvent(action string) audit.EventType {
	switch strings.ToLower(action) {
	case "start", "poweroff", "deallocate", "restart", "redeploy", "reapply":
		return audit.Power
	case "runcommand", "listkeys", "begingetaccess", "endgetaccess", "retrievebootdiagnosticsdata":
		return audit.Access
	case "regeneratekey", "rotatekey":
		return audit.Key
	}
	return audit.Update
}

// final prevents azcore from retrying a request that was refused locally.
type final struct{ error }

func (*final) NonRetriable() {}

func (f *final) Unwrap() error { return f.error }
