package azure

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azlin-dev/azlin/azure/pacing"
	"github.com/azlin-dev/azlin/azure/transport"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/audit"
)

// Options are the options of Open. Target.SubscriptionID and Credential are required.
type Options struct {
	Target     Target
	Credential azcore.TokenCredential
	HTTP       *http.Client             // nil: Target.Cloud.HTTPClient()
	Audit      func(audit.Record) error // called before and after every write; nil: not recorded
	ReadOnly   bool                     // refuse every write before it is sent
	Log        *slog.Logger             // one debug line per request, without secrets; nil: none
	UserAgent  string                   // at most 24 characters; empty: "azlin"
	Retry      policy.RetryOptions      // zero: 4 tries, with delays of up to 3 minutes if Azure requests them
	Patience   time.Duration            // how long to wait for an operation; zero: DefaultPatience
	Working    func() (done func())     // called when a call begins; done is called when it has ended; nil: not called
}

// DefaultPatience is longer than azlin's operations normally take in Azure: a Bastion takes ten minutes.
const DefaultPatience = time.Hour

// Client gives access to one subscription of one cloud. It is safe for concurrent use.
type Client struct {
	target   Target
	endpoint string
	cred     azcore.TokenCredential
	pipeline runtime.Pipeline
	http     *http.Client
	clients  clients
	clock    *Clock
	traffic  *traffic
	auditor  *auditor
	patience time.Duration
	log      *slog.Logger
}

// Open creates a client. It sends no request; the first request fetches the token.
func Open(o Options) (*Client, error) {
	if o.Target.SubscriptionID == "" {
		return nil, errkind.New(errkind.Invalid, "open azure: no subscription is set")
	}
	if o.Credential == nil {
		return nil, errkind.New(errkind.Auth, "open azure: %w: no credential", ErrAuthentication)
	}
	o.Target.Cloud = o.Target.Cloud.OrPublic()
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if o.HTTP == nil {
		hc, err := o.Target.Cloud.HTTPClient()
		if err != nil {
			return nil, err
		}
		o.HTTP = hc
	}
	if o.Working == nil {
		o.Working = func() func() { return func() {} }
	}
	if o.UserAgent == "" {
		o.UserAgent = "azlin"
	}
	if o.Retry.MaxRetryDelay == 0 {
		o.Retry.MaxRetryDelay = 3 * time.Minute // the longest of Azure's windows; azcore gives up when a longer delay is requested
	}
	c := &Client{
		patience: cmp.Or(o.Patience, DefaultPatience),
		target:   o.Target,
		endpoint: o.Target.Cloud.Endpoint,
		cred:     o.Credential,
		http:     o.HTTP,
		clock:    &Clock{server: o.Target.Cloud.Custom},
		traffic:  &traffic{byMethod: map[string]int{}},
		auditor:  &auditor{record: o.Audit, readOnly: o.ReadOnly, log: o.Log, target: o.Target},
		log:      o.Log,
	}
	door, err := transport.New(o.HTTP, c.endpoint)
	if err != nil {
		return nil, err
	}
	options := &arm.ClientOptions{ClientOptions: policy.ClientOptions{
		Cloud:     o.Target.Cloud.Configuration(),
		Transport: door,
		Retry:     o.Retry,
		Telemetry: policy.TelemetryOptions{ApplicationID: o.UserAgent},
		// Once per call, whatever the number of tries: the rehearsal, which sends nothing, then the audit record, then
		// retries by code.
		PerCallPolicies: []policy.Policy{working(o.Working), rehearsal{}, c.auditor, content{}, pacing.NewRetry(o.Log)},
		// Once per try: renew a refused token, wait for the turn, then count and log the request that is sent.
		PerRetryPolicies: []policy.Policy{&renewal{cred: o.Credential, scope: o.Target.Cloud.Scope()}, pacing.New(o.Log), &observer{traffic: c.traffic, clock: c.clock, log: o.Log}},
	}}
	if c.clients, err = newClients(o.Target.SubscriptionID, o.Credential, options); err != nil {
		return nil, errkind.New(errkind.Invalid, "open azure: %w", err)
	}
	generic, err := arm.NewClient("azlin", "v1.0.0", o.Credential, options)
	if err != nil {
		return nil, errkind.New(errkind.Invalid, "open azure: %w", err)
	}
	c.pipeline = generic.Pipeline()
	return c, nil
}

// Target is the target the client was opened with.
func (c *Client) Target() Target { return c.target }

// SubscriptionID is the subscription of every typed client.
func (c *Client) SubscriptionID() string { return c.target.SubscriptionID }

// AccessToken returns a token for Azure Resource Manager, which is a secret. It is for other services that require one in a
// request's body, such as Bastion. The credential caches it until shortly before it expires.
func (c *Client) AccessToken(ctx context.Context) (string, error) {
	t, err := c.cred.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{c.target.Cloud.Scope()}, EnableCAE: true})
	return t.Token, Wrap("sign in", "", err)
}

// Clock is the clock of the cloud.
func (c *Client) Clock() *Clock { return c.clock }

// Patience is how long to wait for an operation in Azure.
func (c *Client) Patience() time.Duration { return c.patience }

// Requests is the number of requests sent so far, including retries, without token requests.
func (c *Client) Requests() int { return c.traffic.total() }

// RequestsByMethod is Requests by HTTP method.
func (c *Client) RequestsByMethod() map[string]int { return c.traffic.methods() }
