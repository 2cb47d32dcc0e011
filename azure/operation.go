package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azlin-dev/azlin/azure/answer"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/audit"
)

// OperationState is the progress of a long-running operation.
type OperationState struct {
	Status  string // Azure's status: "InProgress", "Running", "Succeeded"
	Percent float64
	Elapsed time.Duration
}

// Operation is an operation that runs in Azure. It must be used by one goroutine.
type Operation[T any] struct {
	client   *Client
	poller   *runtime.Poller[T]
	op       string
	resource string
	request  *http.Request // the request that began it; nil when resumed
	id       string
	began    time.Time
	first    time.Duration // pause before the first poll
	look     chan struct{} // requests a poll at once
}

// Begin starts an operation: begin calls a typed client's Begin… method with the context passed to it. op and resource are
// for errors.
func Begin[T any](ctx context.Context, c *Client, op, resource string, begin func(context.Context) (*runtime.Poller[T], error)) (*Operation[T], error) {
	var resp *http.Response
	poller, err := begin(policy.WithCaptureResponse(ctx, &resp))
	if err != nil {
		return nil, Wrap(op, resource, err)
	}
	o := &Operation[T]{client: c, poller: poller, op: op, resource: resource, began: time.Now(), first: firstPause, look: make(chan struct{}, 1)}
	if resp != nil {
		o.request = resp.Request
		o.id = operationID(resp.Header)
		if asked, ok := answer.RetryAfter(resp.Header, time.Now()); ok {
			o.first = asked
		}
	}
	return o, nil
}

// Resume continues to wait for an operation by its token: begin calls the same Begin… method with the token as ResumeToken.
func Resume[T any](ctx context.Context, c *Client, op, resource string, begin func(context.Context) (*runtime.Poller[T], error)) (*Operation[T], error) {
	poller, err := begin(ctx)
	if err != nil {
		return nil, Wrap(op, resource, err)
	}
	return &Operation[T]{client: c, poller: poller, op: op, resource: resource, began: time.Now(), look: make(chan struct{}, 1)}, nil
}

// Azure's default for clients is 30 s between polls, so a start of 12 s would take 30.
const (
	firstPause = time.Second
	shortest   = 2 * time.Second
	longest    = 5 * time.Second
)

// Done reports whether Azure has finished; some requests finish before they are answered.
func (o *Operation[T]) Done() bool { return o.poller.Done() }

// ID is Azure's id of the operation; empty when it finished at once or was resumed.
func (o *Operation[T]) ID() string { return o.id }

// ResumeToken lets another process wait for the operation. It contains signed addresses: store it with mode 0600. It is
// empty when the operation is done.
func (o *Operation[T]) ResumeToken() string {
	if o.poller.Done() {
		return ""
	}
	token, err := o.poller.ResumeToken()
	if err != nil {
		return "" // azcore has no token for operations that finish within one request
	}
	return token
}

// LookNow makes Wait poll at once, when another sign shows that the operation may be done. It is safe to call from other
// goroutines.
func (o *Operation[T]) LookNow() {
	select {
	case o.look <- struct{}{}:
	default: // it is about to poll
	}
}

// pause waits for d, or until LookNow.
func (o *Operation[T]) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-o.look:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// Wait polls the operation until it is done, at the interval that Azure requests, else every 2 to 5 seconds. report (may be
// nil) receives each state. When ctx or Options.Patience ends, the operation continues in Azure; the error for the latter is
// of kind Provisioning.
func (o *Operation[T]) Wait(ctx context.Context, report func(OperationState)) (T, error) {
	var zero T
	pause, looks := o.first, 0
	for !o.poller.Done() {
		if o.client != nil && time.Since(o.began) > o.client.patience {
			return zero, o.tooLong()
		}
		if err := o.pause(ctx, pause); err != nil {
			return zero, Wrap(o.op, o.resource, err)
		}
		resp, err := o.poller.Poll(ctx) //nolint:bodyclose // the pipeline has read and closed it
		if err != nil {
			return zero, o.failed(ctx, err)
		}
		looks++
		pause = min(shortest+time.Duration(looks)*250*time.Millisecond, longest)
		if asked, ok := answer.RetryAfter(resp.Header, time.Now()); ok && asked > 0 {
			pause = asked
		}
		if report != nil {
			s := stateOf(resp)
			s.Elapsed = time.Since(o.began)
			report(s)
		}
	}
	result, err := o.poller.Result(ctx)
	if err != nil {
		return zero, o.failed(ctx, err)
	}
	if looks > 0 {
		o.record(ctx, audit.Succeeded, nil)
	}
	return result, nil
}

func (o *Operation[T]) tooLong() error {
	return &errkind.Error{
		Kind: errkind.Provisioning, Op: o.op, Resource: o.resource,
		Err: fmt.Errorf("Azure has not ended it within %s; it may still do so", o.client.patience), //nolint:staticcheck // a name
	}
}

func (o *Operation[T]) failed(ctx context.Context, err error) error {
	wrapped := Wrap(o.op, o.resource, err)
	if re, ok := errors.AsType[*azcore.ResponseError](err); ok {
		o.record(ctx, audit.Failed, re)
	}
	return wrapped
}

// record adds the end of an operation to the audit log, where its start is recorded as accepted.
func (o *Operation[T]) record(ctx context.Context, status audit.Status, re *azcore.ResponseError) {
	if o.request == nil || o.client == nil || isRead(o.request.Method, o.request.URL.Path) {
		return
	}
	r := o.client.auditor.describe(o.request)
	r.Status = status
	if re != nil {
		r.Code, _ = answer.Innermost(re)
		if re.RawResponse != nil {
			r.CorrelationID = answer.CorrelationID(re.RawResponse)
		}
	}
	o.client.auditor.write(ctx, r)
}

// operationID is the last part of the operation's polling address.
func operationID(h http.Header) string {
	for _, name := range []string{"Azure-AsyncOperation", "Operation-Location", "Location"} {
		if u, err := url.Parse(h.Get(name)); err == nil && u.Path != "" {
			return u.Path[strings.LastIndexByte(u.Path, '/')+1:]
		}
	}
	return ""
}

func stateOf(resp *http.Response) OperationState {
	var body struct {
		Status          string  `json:"status"`
		PercentComplete float64 `json:"percentComplete"`
		Properties      struct {
			ProvisioningState string `json:"provisioningState"`
		} `json:"properties"`
	}
	data, err := runtime.Payload(resp)
	if err == nil {
		_ = json.Unmarshal(data, &body) // a poll may have no body: the HTTP status is enough
	}
	switch {
	case body.Status != "":
	case body.Properties.ProvisioningState != "":
		body.Status = body.Properties.ProvisioningState
	case resp.StatusCode == http.StatusAccepted:
		body.Status = "InProgress"
	default:
		body.Status = "Succeeded"
	}
	return OperationState{Status: body.Status, Percent: body.PercentComplete}
}

// DoOperation is Do for a request that starts an operation: it waits and returns the final answer's body.
func (c *Client) DoOperation(ctx context.Context, method, path, apiVersion string, body any, report func(OperationState)) ([]byte, error) {
	op, err := Begin(ctx, c, strings.ToLower(method), path, func(ctx context.Context) (*runtime.Poller[json.RawMessage], error) {
		resp, err := c.Do(ctx, method, path, apiVersion, body)
		if err != nil {
			return nil, err
		}
		return runtime.NewPoller[json.RawMessage](resp.raw, c.pipeline, nil)
	})
	if err != nil {
		return nil, err
	}
	result, err := op.Wait(ctx, report)
	return result, err
}
